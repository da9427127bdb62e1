import { onTestFinished } from 'vitest'
import type { FrameRequest } from './frame.ts'

export interface Frame {
  tell(request: FrameRequest, transfer?: Transferable[]): void
  /** The next port that this frame offers. */
  offered(): Promise<MessagePort>
  /** Goes at once, as a page that is killed: nothing in it runs any more. */
  kill(): void
}

/** A page of this origin, in a frame. */
export async function openFrame(): Promise<Frame> {
  const id = crypto.randomUUID()
  const frame = document.createElement('iframe')
  frame.id = id
  frame.srcdoc = `<script type="module" src="${new URL('./frame.ts', import.meta.url).href}"></script>`
  const ready = heard(({ data }: MessageEvent<{ ready?: string }>) => data.ready === id)
  document.body.append(frame)
  onTestFinished(() => frame.remove())
  await ready
  return {
    tell: (request, transfer = []) => frame.contentWindow?.postMessage(request, '*', transfer),
    offered: async () => {
      const { ports } = await heard(({ data }: MessageEvent<{ frame?: string }>) => data.frame === id)
      return ports[0] as MessagePort
    },
    kill: () => frame.remove(),
  }
}

function heard(wanted: (event: MessageEvent) => boolean): Promise<MessageEvent> {
  return new Promise((resolve) => {
    const listen = (event: MessageEvent): void => {
      if (!wanted(event)) return
      removeEventListener('message', listen)
      resolve(event)
    }
    addEventListener('message', listen)
  })
}
