import { PocketError } from '../shared/errors.ts'

/** Parses JSON with `//` and block comments and trailing commas: what an annotated configuration file needs, no more. */
export function parseJsonc(text: string, source: string): unknown {
  try {
    return JSON.parse(dropTrailingCommas(dropComments(text)))
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new PocketError('ERR_INVALID_ARGUMENT', `${source} is not JSON: ${reason}`, { cause })
  }
}

/** A string, or what to blank out. Strings come first, so that `"http://x"` is not taken for a comment. */
const STRING_OR_COMMENT = /"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g
const STRING_OR_COMMA = /"(?:[^"\\\n]|\\.)*"|,(?=\s*[}\]])/g

/** Comments become spaces: positions in the parser's messages stay right. */
function dropComments(text: string): string {
  return text.replace(STRING_OR_COMMENT, (part) => (part.startsWith('"') ? part : part.replace(/[^\n]/g, ' ')))
}

function dropTrailingCommas(text: string): string {
  return text.replace(STRING_OR_COMMA, (part) => (part === ',' ? ' ' : part))
}
