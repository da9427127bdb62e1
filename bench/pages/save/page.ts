/** What the app does where there is no file picker, as on a phone: through the service worker to the downloads. */
export { saveToDownloads } from '../../../src/client/save.ts'
