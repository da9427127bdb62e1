import type { ErrorCode } from '../../shared/errors.ts'

export interface FailureText {
  what: string
  why: string
  now: string
}

/** One entry for each code of the catalogue: what happened, why, what to do now. */
export const errorsEn: Record<ErrorCode, FailureText> = {
  ERR_INVALID_ARGUMENT: say(
    'This could not be done.',
    'The app asked its node in a wrong way.',
    'Reload the app and try again; if it happens again, copy the report on the Status page.',
  ),
  ERR_INVALID_CID: say(
    'This link does not open.',
    'The address of the file in it is damaged.',
    'Ask for the link again and copy all of it.',
  ),
  ERR_INVALID_PATH: say(
    'This address does not open.',
    'It is not the address of a file or folder.',
    'Check that all of it was copied.',
  ),
  ERR_INVALID_LINK: say(
    'This is not a share link.',
    'Parts of it are missing or damaged.',
    'Ask for the link again, or scan the QR code.',
  ),
  ERR_INVALID_MULTIADDR: say(
    'This address is not understood.',
    'It is not written as a multiaddr, such as /dns4/relay.example/tcp/443/wss/p2p/12D3….',
    'Copy the whole address from the relay and paste it again.',
  ),
  ERR_INVALID_PEER_ID: say(
    'This peer ID is not understood.',
    'It is damaged or incomplete.',
    'Copy all of it from the other device.',
  ),
  ERR_INVALID_NAME: say(
    'A name in it cannot be used.',
    'A file or folder has an empty, too long or unsafe name.',
    'Rename it, then add it again.',
  ),
  ERR_UNSUPPORTED_CODEC: say(
    'This kind of content does not open here.',
    'It is stored in a format that this app does not read.',
    'Open it with a desktop IPFS node.',
  ),
  ERR_NOT_A_FILE: say('This is a folder.', 'A file was expected.', 'Open the folder and choose a file in it.'),
  ERR_NOT_A_DIRECTORY: say('This is a file.', 'A folder was expected.', 'Go back and open the file itself.'),
  ERR_PATH_NOT_FOUND: say(
    'There is nothing of this name in the folder.',
    'The link names an entry that the folder does not have.',
    'Open the folder itself, or ask for the link again.',
  ),
  ERR_NO_TRANSFER: say(
    'This transfer is not known any more.',
    'It ended a while ago, or another tab removed it.',
    'Open the link again to start anew.',
  ),
  ERR_SOURCE_UNREADABLE: say(
    'The file could not be read.',
    'It was moved, deleted, or the phone withdrew the permission.',
    'Pick it again.',
  ),
  ERR_SOURCE_CHANGED: say(
    'The file was not added.',
    'It changed while it was being read.',
    'Wait until the other app has finished with it, then add it again.',
  ),
  ERR_NOT_FOUND: say(
    'No one who is connected has this.',
    'The phone that shared it is closed, asleep or without a network.',
    'Ask the sender to open the app, then try again.',
  ),
  ERR_BLOCK_HASH_MISMATCH: say(
    'A part of it is damaged.',
    'What arrived does not match its fingerprint, so it was not kept.',
    'Try again; if it is stored here damaged, ask for the link again.',
  ),
  ERR_BLOCK_TOO_LARGE: say(
    'A part of it is too large.',
    'Peers exchange parts of 2 MiB at most.',
    'Ask the sender to add the file again with this app.',
  ),
  ERR_INVALID_BLOCK: say(
    'A part of it cannot be read.',
    'It is damaged or not what it claims to be.',
    'Ask the sender to add the file again.',
  ),
  ERR_INVALID_CAR: say(
    'This CAR file cannot be read.',
    'It is damaged, incomplete, or not a CAR file.',
    'Export it again where it came from.',
  ),
  ERR_DIAL_FAILED: say(
    'The other side could not be reached.',
    'It is closed, asleep, or a network in between does not let the call through.',
    'Keep both apps open and try again; another network often helps.',
  ),
  ERR_RELAY_UNREACHABLE: say(
    'The relay could not be reached.',
    'It is down, or this network does not let the call through.',
    'Try another network, or add another relay in Settings.',
  ),
  ERR_CERTIFICATE_REFUSED: say(
    'The connection was refused as unsafe.',
    'The certificate of the other side is not trusted by this phone.',
    'Check the address; a certificate of your own must be trusted on this phone first.',
  ),
  ERR_NO_WEBRTC: say(
    'There is no direct connection.',
    'This browser or page offers no WebRTC.',
    'Keep the app in front, or go on through the relay, which is slower.',
  ),
  ERR_DATA_CAP: say(
    'Your data limit is reached.',
    'You set it in Settings, and it is used up for now.',
    'It goes on when the next day or month begins, on Wi-Fi, or when you raise the limit.',
  ),
  ERR_SAVING_DATA: say(
    'Waiting for you to come back.',
    'To save data, nothing is sent or received while the app is out of sight.',
    'It goes on when you open the app.',
  ),
  ERR_NETWORK_START: say(
    'The network part of the node did not start.',
    'Its storage may have been busy.',
    'It is tried again by itself.',
  ),
  ERR_OFFLINE: say('There is no network.', 'This phone is not connected.', 'It goes on by itself when there is one.'),
  ERR_DATA_BUSY: say(
    'A data folder is in use.',
    'Another companion is running on it.',
    'Stop that one, or choose another folder.',
  ),
  ERR_PORT_BUSY: say('A port is taken.', 'Another program uses it.', 'Choose another port or end that program.'),
  ERR_NOT_PROVEN: say(
    'The companion did not believe who this phone is.',
    'The proof of its peer ID was missing, late or not for this address.',
    'Check the clock of this phone and the address of the companion, then try again.',
  ),
  ERR_INVALID_RECORD: say(
    'This update was not taken.',
    'It is damaged, too old, or not from the owner of the name.',
    'Ask the owner to publish it again.',
  ),
  ERR_RECORD_OUTDATED: say(
    'This update was not published.',
    'Another device has published a newer one under this name.',
    'Look at the newest version first, then publish again.',
  ),
  ERR_NOT_ALLOWED: say(
    'The other device does not take this from you.',
    'It has not allowed this phone to wake it, or does not any more.',
    'Pair the two devices again.',
  ),
  ERR_STORAGE_UNAVAILABLE: say(
    'Nothing can be kept here.',
    'This browser offers no storage, as in a private window.',
    'Open the app in a normal window.',
  ),
  ERR_STORAGE_LOST: say(
    'The storage went away.',
    'The browser closed the connection to it.',
    'Reload the app: what was stored is still there.',
  ),
  ERR_STORAGE_VERSION: say(
    'The storage cannot be read.',
    'It was written by another version of this app.',
    'Close all tabs of the app and open it again to update it.',
  ),
  ERR_QUOTA_EXCEEDED: say(
    'There is no room left.',
    'The storage that the browser gives this app is full.',
    'Remove something here or on the phone, then try again.',
  ),
  ERR_PIN_DAMAGED: say(
    'Nothing could be freed.',
    'Something kept here is damaged, and what it needs is not known.',
    'Repair the storage, or remove what is damaged, then try again.',
  ),
  ERR_LIMIT_EXCEEDED: say(
    'This is more than the app takes at once.',
    'A limit that protects the phone was reached.',
    'Do it in smaller parts.',
  ),
  ERR_TIMEOUT: say(
    'It took too long.',
    'The other side or the network did not answer in time.',
    'Keep both apps open and try again.',
  ),
  ERR_ABORTED: say('It was cancelled.', 'Someone stopped it.', 'Start it again whenever you like.'),
  ERR_CLOSED: say('The node is closed.', 'It stopped while this was under way.', 'Reload the app and try again.'),
  ERR_HOST_LOST: say(
    'The node was interrupted.',
    'The browser ended the worker it ran in; a new one takes over by itself.',
    'Try again.',
  ),
  ERR_HOST_VERSION: say(
    'This page is of an older version of the app.',
    'A newer one runs the node by now.',
    'Reload the page.',
  ),
  ERR_NO_HOST: say(
    'The node could not be started.',
    'This browser did not start a worker for it.',
    'Reload the app, or open it in a current browser.',
  ),
  ERR_PROTOCOL: say(
    'App and node do not understand each other.',
    'They are of different versions.',
    'Close all tabs of the app and open it again.',
  ),
  ERR_UNKNOWN_METHOD: say(
    'The node cannot do this yet.',
    'It is of an older version than this page.',
    'Close all tabs of the app and open it again.',
  ),
  ERR_INTERNAL: say(
    'The node failed.',
    'It met a situation that it did not foresee.',
    'Try again; if it happens again, copy the report on the Status page.',
  ),
}

function say(what: string, why: string, now: string): FailureText {
  return { what, why, now }
}
