import { bytes, connect, equal, failure, messages, ok, once, same, type Behaviour } from './kit.ts'

const KiB = 1024
const MiB = 1024 * KiB

/** How messages travel on an RTCDataChannel, in Chromium 156 and by webrtc-pc. */
export const MESSAGE_BEHAVIOURS: Behaviour[] = [
  {
    name: 'text and bytes arrive as what they were, empty ones too',
    run: async (sides) => {
      const { near, far } = await connect(sides)
      const got = messages(far, 5)
      near.send('plain')
      near.send('ünï \u{1F4C4} ' + String.fromCharCode(0xd800))
      near.send('')
      near.send(new ArrayBuffer(0))
      near.send(bytes(100).buffer)
      const [plain, unicode, empty, none, binary] = await got
      equal([plain, unicode, empty], ['plain', 'ünï \u{1F4C4} \ufffd', ''])
      equal((none as ArrayBuffer).byteLength, 0)
      ok(same(new Uint8Array(binary as ArrayBuffer), bytes(100)), 'the bytes are the same')
    },
  },
  {
    name: 'messages of 16 and 256 KiB arrive whole, a larger one is refused',
    run: async (sides) => {
      const { near, far } = await connect(sides)
      for (const size of [16 * KiB, 256 * KiB]) {
        const got = messages(far, 1)
        near.send(bytes(size, size))
        ok(same(new Uint8Array((await got)[0] as ArrayBuffer), bytes(size, size)), `${size} bytes are the same`)
      }
      equal(await failure(() => near.send(new Uint8Array(256 * KiB + 1))), 'TypeError')
      equal(await failure(() => near.send('x'.repeat(256 * KiB + 1))), 'TypeError')
      equal(near.readyState, 'open')
    },
  },
  {
    name: 'messages arrive in the order in which they were sent',
    run: async (sides) => {
      const { near, far } = await connect(sides)
      const got = messages(far, 2000)
      for (let n = 0; n < 2000; n++) {
        if (n % 3 === 0) near.send(String(n))
        else near.send(new Uint32Array([n, ...bytes(n % 50)]))
      }
      const numbers = (await got).map((data) =>
        typeof data === 'string' ? Number(data) : new Uint32Array(data as ArrayBuffer)[0],
      )
      equal(
        numbers,
        Array.from({ length: 2000 }, (_, n) => n),
      )
    },
  },
  {
    name: 'each message is a task of its own: one can be awaited after the other',
    run: async (sides) => {
      const { near, far } = await connect(sides)
      const read = async (): Promise<unknown[]> => {
        const got: unknown[] = []
        while (got.length < 50) {
          got.push((await once<MessageEvent<unknown>>(far, 'message')).data)
          // A few turns of the microtask queue, as any chain of promises takes them.
          for (let turn = 0; turn < 10; turn++) await Promise.resolve()
        }
        return got
      }
      const reading = read()
      for (let n = 0; n < 50; n++) near.send(String(n))
      equal(
        await reading,
        Array.from({ length: 50 }, (_, n) => String(n)),
      )
    },
  },
  {
    name: 'binaryType decides what bytes arrive as',
    run: async (sides) => {
      const { near, far } = await connect(sides)
      far.binaryType = 'blob'
      const blob = messages(far, 2)
      near.send(bytes(10))
      near.send('text')
      const [data, text] = await blob
      ok(data instanceof Blob && same(new Uint8Array(await data.arrayBuffer()), bytes(10)), 'a Blob with the bytes')
      equal(text, 'text')
      far.binaryType = 'arraybuffer'
      far.binaryType = 'nonsense' as BinaryType
      equal(far.binaryType, 'arraybuffer')
      const buffer = messages(far, 1)
      near.send(bytes(10))
      ok((await buffer)[0] instanceof ArrayBuffer, 'an ArrayBuffer')
    },
  },
  {
    name: 'a Blob can be sent',
    run: async (sides) => {
      const { near, far } = await connect(sides)
      const got = messages(far, 1)
      near.send(new Blob([bytes(5000)]))
      equal(near.bufferedAmount, 5000)
      ok(same(new Uint8Array((await got)[0] as ArrayBuffer), bytes(5000)), 'the bytes are the same')
    },
  },
  {
    name: 'send leaves what the caller has untouched, and takes it as it is now',
    run: async (sides) => {
      const { near, far } = await connect(sides)
      const got = messages(far, 3)
      const large = bytes(1000)
      near.send(large.subarray(100, 200))
      near.send(new DataView(large.buffer, 300, 10))
      near.send(large.buffer)
      large.fill(0)
      equal(large.buffer.byteLength, 1000)
      const [part, view, all] = (await got).map((data) => new Uint8Array(data as ArrayBuffer))
      ok(part && same(part, bytes(1000).subarray(100, 200)), 'the part')
      ok(view && same(view, bytes(1000).subarray(300, 310)), 'the view')
      ok(all && same(all, bytes(1000)), 'the whole')
    },
  },
  {
    name: 'bufferedAmount counts at once and falls to nothing, told once',
    run: async (sides) => {
      const { near, far } = await connect(sides)
      const got = messages(far, 12)
      let told = 0
      near.onbufferedamountlow = () => told++
      const low = once(near, 'bufferedamountlow')
      near.send('ä')
      equal(near.bufferedAmount, 2)
      near.send('')
      equal(near.bufferedAmount, 2)
      for (let n = 0; n < 10; n++) near.send(bytes(64 * KiB))
      equal(near.bufferedAmount, 640 * KiB + 2)
      await Promise.resolve()
      equal(near.bufferedAmount, 640 * KiB + 2, 'nothing leaves within one task')
      await low
      equal(near.bufferedAmount, 0)
      await got
      equal(told, 1)
    },
  },
  {
    name: 'a threshold is told each time it is crossed, and only then',
    run: async (sides) => {
      const { near, far } = await connect(sides)
      near.bufferedAmountLowThreshold = MiB
      const levels: number[] = []
      near.addEventListener('bufferedamountlow', () => levels.push(near.bufferedAmount))
      for (const rounds of [1, 2]) {
        const got = messages(far, 16)
        const low = once(near, 'bufferedamountlow')
        for (let n = 0; n < 16; n++) near.send(bytes(256 * KiB))
        await Promise.all([low, got])
        equal(levels.length, rounds)
      }
      ok(
        levels.every((level) => level <= MiB),
        levels.join(' '),
      )
      // Below the threshold all the time.
      const got = messages(far, 1)
      near.send(bytes(1000))
      await got
      equal(levels.length, 2)
    },
  },
  {
    name: 'a full queue is refused; the channel stays open and delivers what it took',
    run: async (sides) => {
      const { near, far } = await connect(sides)
      const got = messages(far, 64)
      for (let n = 0; n < 64; n++) near.send(bytes(256 * KiB, n))
      equal(near.bufferedAmount, 16 * MiB)
      equal(await failure(() => near.send('x')), 'OperationError')
      equal([near.readyState, near.bufferedAmount], ['open', 16 * MiB])
      const all = (await got) as ArrayBuffer[]
      ok(
        all.every((data, n) => same(new Uint8Array(data), bytes(256 * KiB, n))),
        'all arrive, in order',
      )
      if (near.bufferedAmount > 0) await once(near, 'bufferedamountlow')
      near.send('x')
    },
  },
  {
    name: 'many channels carry data at once',
    run: async (sides) => {
      const { a, b } = await connect(sides)
      const expected = Array.from({ length: 30 }, (_, n) => 20 * (1000 + n))
      const got = expected.map(() => 0)
      const whole = new Promise<void>((resolve) => {
        b.ondatachannel = ({ channel }) => {
          channel.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
            const n = Number(channel.label)
            got[n] = (got[n] ?? 0) + data.byteLength
            if (got.every((size, at) => size === expected[at])) resolve()
          }
        }
      })
      for (let n = 0; n < 30; n++) {
        const channel = a.createDataChannel(String(n))
        channel.onopen = () => {
          for (let at = 0; at < 20; at++) channel.send(bytes(1000 + n))
        }
      }
      await whole
      equal(got, expected)
    },
  },
]
