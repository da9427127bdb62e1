const KiB = 1024
const MiB = 1024 * KiB

/** What a screen holds at once, in bytes, each with its reason. Beyond it the file is saved instead of shown. */
export const CAPS = {
  /** A picture is decoded whole: 64 MiB of JPEG is some 250 megapixels, 1 GB of memory. */
  image: 64 * MiB,
  /** Played from a blob, which browsers move to disk only in part. */
  video: 512 * MiB,
  audio: 256 * MiB,
  /** The browser's PDF viewer reads the whole file. */
  pdf: 64 * MiB,
  /** Lines in a page: more makes scrolling slow. The rest is cut, and that is said. */
  text: 256 * KiB,
  /** Pictures in the grid are decoded one after the other; larger ones would hold up the rest. */
  thumbnail: 24 * MiB,
  thumbnailVideo: 48 * MiB,
  /** Pictures on the tile of a folder: more would be too small to know. */
  collage: 4,
  /** Thumbnails kept as blob URLs, about 20 KiB each. */
  thumbnails: 300,
  /** Up to here a file goes to the downloads without a question; beyond, the browser's own dialog streams it to disk. */
  quickSave: 64 * MiB,
  /** Where there is neither such a dialog nor a service worker, the file passes through memory. */
  blobSave: 1024 * MiB,
  /** The system's share sheet takes files from memory; Chrome refuses more than 50 MiB in all. */
  send: 50 * MiB,
  /** Entries written when a folder is saved: more is a tree made to fill the disk, or a job for a desktop. */
  folderFiles: 20_000,
  /** Rows of a folder drawn at once, and looked through for the pictures on its tile. */
  entries: 200,
} as const
