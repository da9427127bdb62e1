import { bytes, count, short } from './format.ts'
import { kinds, item, share, peers } from './files-en.ts'
import { status, settings } from './settings-en.ts'
import { transfer, get, receive } from './transfers-en.ts'

/**
 * Every sentence a person reads, but those about failures (`errors-en.ts`); large screens have files of their own. A
 * translation is another object of this type.
 */
export const en = {
  nav: { label: 'Main', home: 'Home', receive: 'Receive', status: 'Status', settings: 'Settings' },
  back: 'Back',
  undo: 'Undo',
  copied: 'Copied',
  tryAgain: 'Try again',
  details: 'Details',
  dismiss: 'Dismiss',
  skipToContent: 'Skip to content',

  line: {
    label: (line: string) => `${line}. Open Status`,
    starting: 'Starting the node',
    notUp: 'Network did not start, trying again',
    failed: 'The node did not start',
    noNetwork: 'No network, files stay here',
    reachable: 'Others can reach this phone',
    connecting: 'Connecting to the relay',
    outgoing: 'Connected, but not reachable yet',
    alone: 'Ready, but no relay known',
    lost: 'Starting the node again',
    quiet: { chosen: 'Offline, as you chose', 'data-cap': 'Data limit reached', hidden: 'Waking up' },
  },

  banner: {
    memory:
      'This browser keeps nothing here (private mode, or storage is blocked). What you add is gone when you close the app.',
    memoryNow: 'Open it in a normal window to keep files.',
    offline: 'No network. What is under way goes on by itself when there is one.',
    offlineIdle: 'No network. What is in your pocket opens without one.',
    update: 'A new version is ready.',
    updateBusy: 'A new version is ready. It waits until the transfer is done.',
    updateNow: 'Update now',
    later: 'Later',
    install: 'Keep Pocket on your home screen: it opens faster and its files stay longer.',
    installNow: 'Install',
    notNow: 'Not now',
  },

  home: {
    title: 'Pocket',
    add: 'Add files',
    addHint: 'Tap, drop or paste. They stay on this phone.',
    sources: 'Other ways to add',
    folder: 'Folder',
    camera: 'Camera',
    paste: 'Paste',
    drop: 'Drop to put it in your pocket',
    activity: 'Under way',
    library: 'In your pocket',
    libraryCount: (files: number, size: number) =>
      `${count(files, { one: '# item', other: '# items' })}, ${bytes(size)}`,
    loading: 'Reading what is here',
    emptyTitle: 'Nothing in your pocket yet',
    emptyText: 'Add a photo or a file, then send its link. It goes straight from this phone to the other one.',
    several: (files: number, date: string) => `${count(files, { one: '# file', other: '# files' })}, ${date}`,
    pastedText: (time: string) => `Pasted text ${time}.txt`,
    pastedImage: (time: string, extension: string) => `Pasted image ${time}.${extension}`,
    pasteEmpty: 'There is nothing to paste. Copy a picture, a file or some text first.',
    pasteDenied:
      'The browser does not let this page read the clipboard. Long-press here and choose Paste, or use Add files.',
    folderEmpty: 'The folder holds no files, so there is nothing to add.',
    noFolderPicker: 'This browser cannot pick folders. Pick the files in it instead: all of them at once.',
    added: (name: string) => `“${short(name)}” is in your pocket.`,
  },

  transfer,
  kinds,
  item,
  share,
  peers,
  get,
  receive,
  status,
  settings,

  notFound: {
    title: 'There is nothing at this address',
    text: 'The address does not belong to this app.',
    home: 'Go to Home',
  },
}

export type Strings = typeof en
