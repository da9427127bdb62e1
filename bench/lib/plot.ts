/** The ratios of a report as bars: legible on a light and on a dark page. */
import type { Report } from './report.ts'

interface Bar {
  kind: 'ceiling' | 'stock'
  /** Times as fast; for memory and sizes, times as little. */
  speed: number
}

const LABEL_WIDTH = 330
const PLOT_WIDTH = 420
const VALUE_WIDTH = 60
const BAR_HEIGHT = 12
const ROW_GAP = 12
const TOP = 64

const STYLE = [
  'text{font:13px system-ui,sans-serif;fill:#444}',
  '.ceiling{fill:#3b7dd8}.stock{fill:#c77d1a}',
  'line{stroke:#bbb;stroke-width:1}.one{stroke:#666;stroke-width:2}',
  '@media(prefers-color-scheme:dark){text{fill:#ccc}.ceiling{fill:#6aa3f0}.stock{fill:#e0a04a}line{stroke:#555}.one{stroke:#aaa}}',
].join('')

/** An SVG: a bar for each ratio, from 1 to the left where ours is slower and to the right where it is faster. */
export function plot({ cases }: Pick<Report, 'cases'>): string {
  const rows = cases.flatMap(({ title, better, ratio, ofStock }) => {
    const speed = (value: number): number => (better === 'more' ? value : 1 / value)
    const bars: Bar[] = []
    if (ratio !== undefined) bars.push({ kind: 'ceiling', speed: speed(ratio) })
    if (ofStock !== undefined) bars.push({ kind: 'stock', speed: speed(ofStock) })
    return bars.length === 0 ? [] : [{ title, bars }]
  })
  const powers = rows.flatMap(({ bars }) => bars.map(({ speed }) => Math.log10(speed)))
  const low = Math.min(-1, ...powers.map(Math.floor))
  const high = Math.max(1, ...powers.map(Math.ceil))
  const x = (speed: number): number => LABEL_WIDTH + ((Math.log10(speed) - low) / (high - low)) * PLOT_WIDTH

  const parts: string[] = []
  let y = TOP
  for (const { title, bars } of rows) {
    const middle = y + (bars.length * BAR_HEIGHT) / 2 + 4
    parts.push(`<text x="${LABEL_WIDTH - 10}" y="${middle}" text-anchor="end">${escaped(title)}</text>`)
    for (const { kind, speed } of bars) {
      const [from, to] = [Math.min(x(1), x(speed)), Math.max(x(1), x(speed))]
      parts.push(
        `<rect class="${kind}" x="${round(from)}" y="${y}" width="${round(Math.max(1, to - from))}" height="${BAR_HEIGHT - 2}"/>`,
        `<text x="${LABEL_WIDTH + PLOT_WIDTH + 8}" y="${y + BAR_HEIGHT - 2}" style="font-size:11px">${times(speed)}</text>`,
      )
      y += BAR_HEIGHT
    }
    y += ROW_GAP
  }
  const grid = Array.from({ length: high - low + 1 }, (_, index) => {
    const at = round(x(10 ** (low + index)))
    return (
      `<line${low + index === 0 ? ' class="one"' : ''} x1="${at}" x2="${at}" y1="${TOP - 8}" y2="${y}"/>` +
      `<text x="${at}" y="${TOP - 14}" text-anchor="middle">${times(10 ** (low + index))}</text>`
    )
  })
  const legend =
    `<rect class="ceiling" x="${LABEL_WIDTH}" y="8" width="12" height="12"/><text x="${LABEL_WIDTH + 18}" y="18">of the ceiling</text>` +
    `<rect class="stock" x="${LABEL_WIDTH + 130}" y="8" width="12" height="12"/><text x="${LABEL_WIDTH + 148}" y="18">of stock Helia</text>` +
    `<text x="${LABEL_WIDTH - 10}" y="18" text-anchor="end">Times as fast (or as little), log scale</text>`
  const width = LABEL_WIDTH + PLOT_WIDTH + VALUE_WIDTH
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" width="${width}" height="${y}" role="img">`,
    `<title>Ours beside the ceiling and stock Helia</title><style>${STYLE}</style>`,
    legend,
    ...grid,
    ...parts,
    '</svg>\n',
  ].join('\n')
}

function times(speed: number): string {
  const digits = speed >= 10 ? 0 : speed >= 1 ? 1 : 2
  return `${Number(speed.toFixed(digits))} ×`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
