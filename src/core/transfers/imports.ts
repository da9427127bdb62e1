import type { AddOptions, AddProgress, AddResult, AddSource } from '../../contract/node-api.ts'
import { isPocketError, PocketError, toPocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import { displayName } from '../../shared/names.ts'
import type { Library } from '../content/library.ts'
import { isFile, totalSize } from '../content/sources.ts'
import { stageContent, type Staged } from '../content/stage.ts'
import { stagedFiles, type StagedAdd } from '../content/staged.ts'
import type { PocketBlockstore } from '../storage/index.ts'
import type { Guest } from './guest.ts'
import type { Jobs, JobRun } from './jobs.ts'
import type { JobRecord } from './record.ts'

/** Adds as jobs: what is staged goes on by itself, whatever ends. */
export interface Imports {
  add: (source: AddSource, options?: AddOptions) => Promise<AddResult>
  run(run: JobRun): Promise<AddResult>
  /** Keeps the stored files of a job that is not over. */
  hold(record: JobRecord): () => void
}

export interface ImportsInit {
  jobs: () => Jobs
  library: Pick<Library, 'addStaged' | 'addDirectly'>
  blocks: Pick<PocketBlockstore, 'keepsFiles' | 'putFile' | 'openFile'>
}

export function createImports({ jobs, library, blocks }: ImportsInit): Imports {
  /** Of callers that still listen, by the id of the job. */
  const listeners = new Map<string, (progress: AddProgress) => void>()

  async function stage(source: AddSource, guest: Guest, signal: AbortSignal): Promise<Staged | undefined> {
    const total = totalSize(source)
    if (total !== undefined) guest.progress({ total })
    return stageContent(source, {
      files: blocks,
      signal,
      onProgress(bytes) {
        // A stream tells by what has come of it; storing what is there already is too quick to tell of.
        if (total !== undefined) return
        guest.progress({ done: bytes })
        listeners.get(guest.id)?.({ bytes, files: 0 })
      },
    })
  }

  /** The whole of it in the call: there is nothing to go on from, or too little to be worth it. */
  async function atOnce(source: AddSource | StagedAdd, guest: Guest, name: string | undefined, signal: AbortSignal) {
    const onProgress = (progress: AddProgress): void => report(guest, progress)
    const options = { signal, onProgress, ...(name === undefined ? {} : { name }) }
    const result = await (isStaged(source) ? library.addStaged(source, options) : library.addDirectly(source, options))
    guest.progress({ cid: result.cid, total: result.size })
    guest.end()
    return result
  }

  function report({ id, progress: tell }: Pick<Guest, 'id' | 'progress'>, progress: AddProgress): void {
    tell({ done: progress.bytes, ...(progress.total === undefined ? {} : { total: progress.total }) })
    listeners.get(id)?.(progress)
  }

  /** Hands what is staged to a job, and waits for its end. */
  async function asJob(staged: Staged, guest: Guest, name: string | undefined, signal: AbortSignal) {
    await guest.stay({ ...(name === undefined ? {} : { name }), content: staged.record } satisfies StagedImport)
    const cancel = (): void => {
      // A caller that is gone has not changed its mind.
      const { reason } = signal as { reason: unknown }
      if (isPocketError(reason) && reason.code !== 'ERR_ABORTED') return
      const job = jobs().get(guest.id)
      // Should the journal not take it: the caller hears of the end all the same, and the next node goes on with it.
      if (!job.over)
        jobs()
          .halt(job, 'cancelled')
          .catch(() => undefined)
    }
    signal.addEventListener('abort', cancel, { once: true })
    if (signal.aborted) cancel()
    try {
      return (await jobs().result(guest.id)) as AddResult
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  }

  return {
    async add(source, { name, transfer, signal = new AbortController().signal, onProgress } = {}) {
      const guest = jobs().guest({ kind: 'import', id: transfer, name: displayName(name, sourceName(source)) })
      if (onProgress !== undefined) listeners.set(guest.id, onProgress)
      const both = AbortSignal.any([signal, guest.signal])
      let staged: Staged | undefined
      try {
        staged = await stage(source, guest, both)
        if (staged === undefined) return await atOnce(source, guest, name, both)
        if (staged.record.size < LIMITS.minJournaledImport) return await atOnce(staged.record, guest, name, both)
        return await asJob(staged, guest, name, signal)
      } catch (error) {
        const coded = toPocketError(error)
        guest.end(coded)
        throw coded
      } finally {
        listeners.delete(guest.id)
        await staged?.close()
      }
    },

    async run({ record, signal, progress }) {
      const staged = parseStaged(record.staged)
      const { cid, ...rest } = await library.addStaged(staged.content, {
        ...(staged.name === undefined ? {} : { name: staged.name }),
        signal,
        onProgress: (made) => report({ id: record.id, progress }, made),
      })
      progress({ cid, total: rest.size })
      return { cid, ...rest }
    },

    hold({ staged }) {
      if (staged === undefined) return () => undefined
      const open = filesOf(staged).map((id) => blocks.openFile(id))
      return () => {
        for (const opening of open) void opening.then((file) => file?.close()).catch(() => undefined)
      }
    },
  }
}

/** What the journal keeps of an import. */
interface StagedImport {
  /** As given. */
  name?: string
  content: StagedAdd
}

/** Ids of the stored files that an import goes on from. */
export function filesOf(staged: unknown): number[] {
  try {
    return stagedFiles(parseStaged(staged).content)
  } catch {
    // Its run will say what is wrong with it.
    return []
  }
}

function parseStaged(value: unknown): StagedImport {
  const { content } = (value ?? {}) as Partial<StagedImport>
  if (content?.version !== 1) throw new PocketError('ERR_STORAGE_VERSION')
  return value as StagedImport
}

function isStaged(source: AddSource | StagedAdd): source is StagedAdd {
  return typeof source === 'object' && 'pieces' in source
}

function sourceName(source: AddSource): string {
  if (Array.isArray(source)) return source[0]?.path.split('/')[0] ?? 'folder'
  return isFile(source) ? source.name : 'file'
}
