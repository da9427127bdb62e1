import { CAPS } from '../content/caps.ts'
import { readBlob } from '../content/read.ts'
import { saveFile, saveWay } from '../content/save.ts'
import { describeFailure, t } from '../strings/index.ts'
import type { App } from './app.svelte.ts'
import type { PreviewSource } from './preview.svelte.ts'

type Needs = Pick<App, 'node' | 'notices' | 'router'>

/** What a person does with one file or folder. Every failure becomes a notice. */
export class FileActions {
  #busy = $state<'save' | 'send' | 'keep' | 'remove' | undefined>()
  /** Read for the share sheet: a second tap hands it over when the first one's permission ran out. */
  #ready: File | undefined
  readonly #app: Needs

  constructor(app: Needs) {
    this.#app = app
  }

  get busy(): 'save' | 'send' | 'keep' | 'remove' | undefined {
    return this.#busy
  }

  save({ path, name, size, type }: PreviewSource): Promise<void> {
    const { node, notices } = this.#app
    return this.#do('save', async () => {
      if (type === 'directory') return notices.tell(t.item.saveFolderHere)
      if (saveWay(size) === 'too-large') return notices.tell(t.item.saveTooLarge(CAPS.blobSave))
      await saveFile(await node.ready, { path, name, size }, new AbortController().signal)
      notices.tell(t.item.saved(name))
    })
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

  keep({ path, name }: PreviewSource): Promise<void> {
    return this.#do('keep', async () => void (await (await this.#app.node.ready).pin.add(path, { name })))
  }

  remove(cid: string, name: string): Promise<void> {
    const { node, notices, router } = this.#app
    return this.#do('remove', async () => {
      await (await node.ready).pin.rm(cid)
      notices.tell(t.item.removed(name), { label: t.undo, run: () => void this.#restore(cid, name) })
      router.back()
    })
  }

  /** Its blocks stay until the next clean-up, so this needs no network. */
  #restore(cid: string, name: string): Promise<void> {
    return this.#do('keep', async () => {
      await (await this.#app.node.ready).pin.add(cid, { name })
      this.#app.notices.tell(t.item.restored(name))
    })
  }

  async #do(what: 'save' | 'send' | 'keep' | 'remove', run: () => Promise<void>): Promise<void> {
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
