/** Whether somebody meant a link or a CID by it, well copied or not, rather than a word. */
export function looksLikeLink(text: string): boolean {
  // A word is shorter than the shortest CID that is in use, of 46 letters.
  return /:\/\/|#\/get|^\/ip[fn]s\/|^(Qm|baf|bag|k51)\w|^\w{40}/i.test(text.trim())
}
