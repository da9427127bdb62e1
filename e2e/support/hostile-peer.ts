/** A real libp2p peer that speaks Bitswap and answers with what a test gives it, true or not. */
import * as dagPb from '@ipld/dag-pb'
import type { Connection } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import { createLibp2p } from 'libp2p'
import { UnixFS } from 'ipfs-unixfs'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { blockMessage, varints, wantedCids, type BitswapBlock } from './bitswap-wire.ts'
import { listening } from './listening.ts'

export interface HostilePeer {
  readonly peerId: string
  /** `/ip4/127.0.0.1/tcp/<port>/ws/p2p/<peer id>` */
  readonly multiaddr: string
  /** Has the block, whatever its size or content. Resolves with its CID. */
  give(bytes: Uint8Array, codec?: number): Promise<string>
  /** Answers the want for `cid` with other bytes, which by their prefix are a SHA-256 block. */
  giveOther(cid: string, bytes: Uint8Array): void
  /**
   * Answers the want for `cid` with its own digest, and says that the hash is `identity`: the digests are then equal, and
   * who compares no more than those has taken wrong bytes.
   */
  giveForged(cid: string): void
  /** Answers the want for `cid` with bytes that are no Bitswap message. */
  giveNoise(cid: string): void
  /** CIDs that it was asked for, in order. */
  readonly asked: string[]
  stop(): Promise<void>
}

const BITSWAP = '/ipfs/bitswap/1.2.0'
const IDENTITY = 0x00
const LEAF_BYTES = 1024 * 1024
/** More than any message that it may have to send or read. */
const MAX_MESSAGE = 8 * 1024 * 1024

export async function startHostilePeer(): Promise<HostilePeer> {
  const libp2p = await createLibp2p(listening())
  const answers = new Map<string, Uint8Array>()
  const asked: string[] = []

  await libp2p.handle(BITSWAP, async (stream, connection) => {
    const messages = lpStream(stream, { maxDataLength: MAX_MESSAGE })
    try {
      for (;;) {
        for (const bytes of wantedCids((await messages.read()).subarray())) {
          const cid = CID.decode(bytes).toString()
          asked.push(cid)
          const answer = answers.get(cid)
          if (answer !== undefined) await send(connection, answer)
        }
      }
    } catch {
      // The stream ended: a message has one of its own.
    }
  })

  const [multiaddr] = libp2p.getMultiaddrs()
  return {
    peerId: libp2p.peerId.toString(),
    multiaddr: String(multiaddr),
    asked,
    give: async (data, codec = raw.code) => {
      const cid = CID.createV1(codec, await sha256.digest(data))
      answers.set(cid.toString(), blockMessage({ prefix: prefixOf(cid), data }))
      return cid.toString()
    },
    giveOther: (cid, data) => answers.set(cid, blockMessage({ prefix: prefixOf(CID.parse(cid)), data })),
    giveForged: (cid) => answers.set(cid, blockMessage(forged(CID.parse(cid)))),
    giveNoise: (cid) => answers.set(cid, new Uint8Array(64).fill(0xff)),
    stop: async () => {
      await libp2p.stop()
    },
  }
}

async function send(connection: Connection, message: Uint8Array): Promise<void> {
  const stream = await connection.newStream(BITSWAP)
  await lpStream(stream, { maxDataLength: MAX_MESSAGE }).write(message)
  await stream.close()
}

function prefixOf({ version, code, multihash }: CID): Uint8Array {
  return varints([version, code, multihash.code, multihash.digest.byteLength])
}

function forged({ version, code, multihash }: CID): BitswapBlock {
  const { digest } = multihash
  return { prefix: varints([version, code, IDENTITY, digest.byteLength]), data: digest }
}

/** The bytes of a folder node as its author wants it, names and all. Links: 1-byte raw blocks of no interest. */
export async function folderNode(names: string[]): Promise<{ bytes: Uint8Array; codec: number; leaf: Uint8Array }> {
  const leaf = new Uint8Array([0x61])
  const hash = CID.createV1(raw.code, await sha256.digest(leaf))
  // UnixFS data of a directory: field 1 (type) = 1.
  const node = { Data: new Uint8Array([0x08, 0x01]), Links: names.map((Name) => ({ Name, Hash: hash, Tsize: 1 })) }
  return { bytes: dagPb.encode(dagPb.prepare(node)), codec: dagPb.code, leaf }
}

/** A file of raw leaves of 1 MiB, each of them and the node above as a peer gives it. */
export async function fileNode(
  content: Uint8Array,
): Promise<{ bytes: Uint8Array; codec: number; leaves: Uint8Array[] }> {
  const file = new UnixFS({ type: 'file' })
  const leaves: Uint8Array[] = []
  const Links: dagPb.PBLink[] = []
  for (let at = 0; at < content.length; at += LEAF_BYTES) {
    const leaf = content.subarray(at, at + LEAF_BYTES)
    leaves.push(leaf)
    file.addBlockSize(BigInt(leaf.length))
    Links.push({ Name: '', Hash: CID.createV1(raw.code, await sha256.digest(leaf)), Tsize: leaf.length })
  }
  const bytes = dagPb.encode(dagPb.prepare({ Data: file.marshal(), Links }))
  return { bytes, codec: dagPb.code, leaves }
}
