import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** Gives away what it later wants to have back unchanged, so that it need not keep it. */
export interface Seal {
  seal(purpose: string, value: object): string
  /** `undefined` for what this process did not seal for this purpose. */
  open(purpose: string, text: string): Record<string, unknown> | undefined
}

/** The key lives as long as the process: after a restart phones prove themselves again, which costs a request. */
export function createSeal(): Seal {
  const key = randomBytes(32)
  const mac = (purpose: string, content: string): Buffer =>
    createHmac('sha256', key).update(`${purpose}\0${content}`).digest()
  return {
    seal(purpose, value) {
      const content = Buffer.from(JSON.stringify(value)).toString('base64url')
      return `${content}.${mac(purpose, content).toString('base64url')}`
    },
    open(purpose, text) {
      const [content = '', tag = ''] = text.split('.')
      const given = Buffer.from(tag, 'base64url')
      const right = mac(purpose, content)
      if (given.byteLength !== right.byteLength || !timingSafeEqual(given, right)) return undefined
      return JSON.parse(Buffer.from(content, 'base64url').toString()) as Record<string, unknown>
    },
  }
}
