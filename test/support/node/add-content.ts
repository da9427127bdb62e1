import type { AddProgress, AddSource } from '../../../src/contract/node-api.ts'
import type { PocketBlockstore } from '../../../src/core/storage/index.ts'
import { addDirectly, addStaged, type Added, type AddInit, type AddStagedInit } from '../../../src/core/content/add.ts'
import { totalSize } from '../../../src/core/content/sources.ts'
import { stageContent } from '../../../src/core/content/stage.ts'

export interface AddContentInit extends AddInit, Pick<AddStagedInit, 'onLeaf'> {
  /** Where bytes are staged; without it leaves are values. */
  files?: AddStagedInit['files'] & Pick<PocketBlockstore, 'keepsFiles' | 'putFile'>
}

/**
 * Writes a file or a folder as UnixFS blocks, both steps at once: stages it, then makes blocks of what is stored.
 * @throws PocketError ERR_INVALID_NAME, ERR_INVALID_ARGUMENT, ERR_LIMIT_EXCEEDED, ERR_SOURCE_UNREADABLE,
 * ERR_SOURCE_CHANGED, ERR_ABORTED, storage codes
 */
export async function addContent(source: AddSource, { files, ...init }: AddContentInit): Promise<Added> {
  if (files === undefined) return addDirectly(source, init)
  const isSized = totalSize(source) !== undefined
  let arrived = 0
  const staged = await stageContent(source, {
    files,
    signal: init.signal,
    onProgress(bytes) {
      // A stream tells by what has come of it; storing what is there already is too quick to tell of.
      if (isSized) return
      arrived = bytes
      init.onProgress({ bytes, files: 0 })
    },
  })
  if (staged === undefined) return addDirectly(source, init)
  const onProgress = (progress: AddProgress): void =>
    init.onProgress({ ...progress, bytes: Math.max(progress.bytes, arrived) })
  try {
    return await addStaged(staged.record, { ...init, files, onProgress })
  } finally {
    await staged.close()
  }
}
