import { CAPS } from '../content/caps.ts'
import { readBlob } from '../content/read.ts'
import { saveFile, saveWay } from '../content/save.ts'
import { saveFolder } from '../content/save-folder.ts'
import { describeFailure, t } from '../strings/index.ts'
import type { App } from './app.svelte.ts'
import type { PreviewSource } from './preview.svelte.ts'

type Needs = Pick<App, 'node' | 'notices' | 'router' | 'removing'>
type What = 'save' | 'send' | 'keep'

/** What a person does with one file or folder. Every failure becomes a notice. */
export class FileActions {
  #busy = $state<What | undefined>()
  #removed = $state(false)
  #asking = $state(false)
  #controller = new AbortController()
  /** Read for the share sheet: a second tap hands it over when the first one's permission ran out. */
  #ready: File | undefined
  readonly #app: Needs

  constructor(app: Needs) {
    this.#app = app
  }

  get busy(): What | undefined {
    return this.#busy
  }

  /** By this page, which is about to go. */
  get removed(): boolean {
    return this.#removed
  }

  /** Whether it is to be removed although somebody is receiving it. */
  get asking(): boolean {
    return this.#asking
  }

  save({ path, name, size, type }: PreviewSource): Promise<void> {
    const { node, notices } = this.#app
    return this.#do('save', async () => {
      const { signal } = (this.#controller = new AbortController())
      if (type === 'directory') {
        await saveFolder(await node.ready, path, name, signal)
        return notices.tell(t.item.saved(name))
      }
      if ((await saveWay(size)) === 'too-large') return notices.tell(t.item.saveTooLarge(CAPS.blobSave))
      const how = await saveFile(await node.ready, { path, name, size }, signal)
      notices.tell(how === 'saved' ? t.item.saved(name) : t.item.handed(name))
    })
  }

  /** The page goes: what is being written to disk must not go on unseen. */
  close(): void {
    this.#controller.abort()
  }

  send({ path, name, size }: PreviewSource, loaded: Blob | undefined): Promise<void> {
    const { node, notices } = this.#app
    return this.#do('send', async () => {
      if (size > CAPS.send) return notices.tell(t.item.sendTooLarge(CAPS.send))
      const blob =
        loaded ?? this.#ready ?? (await readBlob(await node.ready, path, name, AbortSignal.timeout(60_000))).blob
      const file = new File([blob], name, { type: blob.type })
      try {
        await navigator.share({ files: [file] })
      } catch (error) {
        // The tap's permission lasts a few seconds: reading took longer.
        if (!(error instanceof DOMException) || error.name !== 'NotAllowedError') throw error
        this.#ready = file
        notices.tell(t.item.readyToSend)
      }
    })
  }

  async keep({ path, name }: PreviewSource, cid: string): Promise<void> {
    const { node, removing } = this.#app
    if (removing.keep(cid)) return
    // Without a name it keeps the one that it is known by.
    await this.#do('keep', async () => void (await (await node.ready).pin.add(path, name === '' ? {} : { name })))
  }

  /** Asks first while somebody is receiving it: what is removed is not sent any more, and nobody there learns why. */
  remove(cid: string, name: string): void {
    if (this.#removed) return
    if (!this.#asking && this.#app.node.goesOut(cid)) {
      this.#asking = true
      return
    }
    this.#removed = true
    this.#app.removing.remove(cid, name)
    this.#app.router.back()
  }

  dontRemove(): void {
    this.#asking = false
  }

  async #do(what: What, run: () => Promise<void>): Promise<void> {
    if (this.#busy !== undefined) return
    this.#busy = what
    try {
      await run()
    } catch (error) {
      this.#app.notices.fail(describeFailure(error))
    } finally {
      this.#busy = undefined
    }
  }
}
