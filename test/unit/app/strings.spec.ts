import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { bytes, count, duration, short } from '../../../src/app/strings/format.ts'
import { en } from '../../../src/app/strings/en.ts'
import { errorsEn } from '../../../src/app/strings/errors-en.ts'
import { describeFailure } from '../../../src/app/strings/index.ts'
import { VERSION } from '../../../src/app/version.ts'
import { ERRORS, PocketError, toWireError } from '../../../src/shared/errors.ts'

describe('the sentences about failures', () => {
  it('has what, why and what to do now for every code of the catalogue, and none besides', () => {
    expect(Object.keys(errorsEn).sort()).toEqual(Object.keys(ERRORS).sort())
    for (const [code, text] of Object.entries(errorsEn)) {
      for (const part of [text.what, text.why, text.now]) expect(part, code).toMatch(/^\p{Lu}.{8,}\.$/u)
    }
  })

  it('tells of thrown errors, of those that crossed a port, and of foreign ones', () => {
    const error = new PocketError('ERR_OFFLINE')
    expect(describeFailure(error).what).toBe('There is no network.')
    expect(describeFailure(toWireError(error)).code).toBe('ERR_OFFLINE')
    expect(describeFailure(new DOMException('', 'QuotaExceededError')).code).toBe('ERR_QUOTA_EXCEEDED')
    expect(describeFailure('odd').code).toBe('ERR_INTERNAL')
  })
})

describe('sentences with numbers and names', () => {
  it('hold for one and for many, and for names that are plural', () => {
    expect(en.home.added(en.home.several(5, '21 Nov'))).toBe('“5 files, 21 Nov” is in your pocket.')
    expect([en.home.libraryCount(1, 1), en.home.libraryCount(2, 10)]).toEqual(['1 item, 1 byte', '2 items, 10 bytes'])
    expect([en.status.counts(1, 1), en.status.counts(1, 0), en.status.counts(3, 2)]).toEqual([
      ...['1 peer, directly', '1 peer, not directly', '3 peers, 2 of them directly'],
    ])
    expect(en.status.stored(1, 1)).toBe('1 byte in 1 block')
  })
})

it('leaves the middle out of a long name, and keeps its extension', () => {
  expect(short('a'.repeat(28))).toBe('a'.repeat(28))
  const long = `Holiday in the mountains ${'very '.repeat(40)}long.jpeg`
  expect([...short(long)].length).toBeLessThanOrEqual(28)
  expect(short(long)).toMatch(/^Holiday in the….*long\.jpeg$/)
  expect([...short('🏔'.repeat(200))]).toHaveLength(28)
  expect(en.home.added(long)).toContain(short(long))
})

describe('sizes and times', () => {
  it('writes sizes as phones do', () => {
    expect([0, 1, 999, 1000, 13_643, 999_500, 5_400_000_000].map(bytes)).toEqual([
      ...['0 bytes', '1 byte', '999 bytes', '1 kB', '13.6 kB', '1 MB', '5.4 GB'],
    ])
  })

  it('writes numbers and durations', () => {
    expect(count(1, { one: '# file', other: '# files' })).toBe('1 file')
    expect(count(1200, { one: '# file', other: '# files' })).toBe('1,200 files')
    expect([300, 59_000, 90_000, 7_200_000].map(duration)).toEqual(['1 sec', '59 sec', '2 min', '2 hr'])
  })
})

it('shows the version of package.json', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  expect(VERSION).toBe(version)
})
