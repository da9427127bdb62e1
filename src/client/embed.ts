/** The library as one file, `/embed.js`: for pages of the app's origin that are not built with it. */
export { connect, ERRORS, isPocketError, PocketError, type ConnectOptions, type ErrorCode } from './index.ts'
export type * from '../contract/node-api.ts'
