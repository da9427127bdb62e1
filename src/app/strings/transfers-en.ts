import { bytes, duration } from './format.ts'

/** What is under way, and what a link leads to. */

export const transfer = {
  adding: 'Adding',
  arriving: 'Arriving',
  queued: 'Next in line',
  paused: 'Paused',
  offline: 'Waiting for the network',
  chosenOffline: 'Waiting: you chose Offline in Settings',
  capped: {
    day: 'Waiting: the data limit of today is reached',
    month: 'Waiting: the data limit of this month is reached',
  },
  nobody: 'Waiting for a phone that has it',
  stalled: 'Waiting for the other phone',
  waiting: (what: string) => `${what} It is tried again by itself.`,
  failed: 'Not finished',
  of: (done: number, total: number) => `${bytes(done)} of ${bytes(total)}`,
  rate: (rate: number) => `${bytes(rate)}/s`,
  left: (ms: number) => `${duration(ms)} left`,
  pause: (name: string) => `Pause ${name}`,
  resume: (name: string) => `Resume ${name}`,
  again: (name: string) => `Try ${name} again`,
  cancel: (name: string) => `Cancel ${name}`,
  dismiss: (name: string) => `Dismiss ${name}`,
}

export const get = {
  title: 'Receive',
  finding: 'Looking for a phone that has it',
  from: (who: string) => `From ${who}`,
  aPhone: 'a phone or browser',
  fromNobody: 'The link names no sender',
  arriving: 'Arriving',
  arrived: 'All of it has arrived and is kept on this phone.',
  sizeUnknown: 'Size not told',
  unnamed: {
    image: 'Photo',
    video: 'Video',
    audio: 'Sound',
    text: 'Text',
    pdf: 'Document',
    archive: 'Archive',
    folder: 'Folder',
    other: 'File',
  },
  pause: 'Pause',
  paused: 'Paused. What has arrived stays here.',
  resume: 'Resume',
  byItself: 'It is tried again by itself, as long as the app is open.',
  cancel: 'Cancel',
  stopped: 'Cancelled.',
  again: 'Receive it after all',
  otherLink: 'Open another link',
  progress: (name: string) => `Receiving ${name}`,
}

export const receive = {
  title: 'Receive',
  lead: 'Scan the code on the other phone, or paste the link you were sent.',
  scan: 'Scan a QR code',
  stop: 'Stop the camera',
  aim: 'Point the camera at the code',
  notOurs: 'That code is no share link. Point the camera at the code on the other phone’s Share page.',
  cameraDenied:
    'The camera is not allowed for this page. Allow it in the browser’s site settings, or paste the link below.',
  cameraNone: 'This device offers no camera to the page. Paste the link below.',
  cameraBusy: 'The camera is in use by another app. Close that one, or paste the link below.',
  link: 'Link',
  placeholder: 'https://…/#/get/…',
  open: 'Open',
  notALink: {
    what: 'This is not a link.',
    why: 'A share link begins with https:// and is one long line.',
    now: 'Copy the link that you were sent, or scan the QR code.',
  },
  hint: 'Links of this app, ipfs:// addresses and plain CIDs open here.',
}
