import type { Second } from './rds.ts'

/** One strategy in the picture of a deploy: its logins over time, and what they come to. */
export interface PictureRow {
  readonly title: string
  readonly subtitle: string
  readonly seconds: readonly Second[]
  readonly throttled: number
  readonly figure: string
  readonly detail: string
}

const WIDTH = 900
const TOP = 96
const ROW_HEIGHT = 100
const PLOT = { left: 276, width: 356, height: 76 }
const RIGHT = 876
/** Each step of a curve stands for so many seconds: finer ones cannot be seen. */
const STEP_SECONDS = 5
/** The background is opaque, so that the picture can be read wherever the page and the system disagree about the theme. */
const STYLE = `
text{font-family:system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:#1f2328}
.page{fill:#fff;stroke:#d1d9e0}.soft{fill:#59636e}.axis{stroke:#8c959f;fill:none}
.in{fill:#1a6fb0}.out{fill:#d1242f}.good{fill:#1a7f37}.bad{fill:#d1242f}
@media (prefers-color-scheme:dark){text{fill:#f0f6fc}.page{fill:#0d1117;stroke:#3d444d}.soft{fill:#9198a1}
.axis{stroke:#656c76}.in{fill:#4493f8}.out{fill:#f85149}.good{fill:#3fb950}.bad{fill:#f85149}}`

/** Draws the logins that reached RDS: those it let in below, those it throttled on top. All rows have one scale on both axes. */
export function drawLogins(
  { title, subtitle }: { title: string; subtitle: string },
  rows: readonly PictureRow[],
): string {
  const minutes = Math.ceil(Math.max(...rows.map(({ seconds }) => seconds.length)) / 60)
  const steps = rows.map(({ seconds }) => averages(seconds))
  const highest = roundUp(Math.max(...steps.flat().map(({ admitted, throttled }) => admitted + throttled)))
  const height = TOP + rows.length * ROW_HEIGHT + 30
  const scales: Scales = {
    x: seconds => PLOT.left + (seconds / (minutes * 60)) * PLOT.width,
    height: perSecond => (perSecond / highest) * PLOT.height,
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeXml(describe(title, rows))}">`,
    `<style>${STYLE}</style>`,
    `<rect class="page" x=".5" y=".5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>`,
    text(title, { x: 24, y: 36, size: 21, weight: 600 }),
    text(subtitle, { x: 24, y: 60, size: 14, kind: 'soft' }),
    legend(),
    ...rows.map((row, i) => drawRow(row, { top: TOP + i * ROW_HEIGHT, steps: steps[i] ?? [], scales })),
    text(`${highest.toLocaleString('en-US')} logins/s`, {
      x: PLOT.left - 8,
      y: TOP + 18,
      size: 11,
      anchor: 'end',
      kind: 'soft',
    }),
    ...[0, minutes / 2, minutes].map(minute =>
      text(`${minute} min`, {
        x: scales.x(minute * 60),
        y: height - 16,
        size: 12,
        anchor: 'middle',
        kind: 'soft',
      }),
    ),
    '</svg>',
    '',
  ].join('\n')
}

interface Scales {
  x(seconds: number): number
  height(perSecond: number): number
}

function drawRow(
  { title, subtitle, throttled, figure, detail }: PictureRow,
  { top, steps, scales }: { top: number; steps: readonly Second[]; scales: Scales },
): string {
  const bottom = top + 12 + PLOT.height
  const area = (of: (step: Second) => number, kind: string) => {
    const curve = steps.map((step, i) => {
      const y = round(bottom - scales.height(of(step)))
      return `V${y}H${round(scales.x((i + 1) * STEP_SECONDS))}`
    })
    return `<path class="${kind}" d="M${PLOT.left} ${bottom}${curve.join('')}V${bottom}Z"/>`
  }
  return [
    text(title, { x: 24, y: bottom - 38, size: 16, weight: 600 }),
    text(subtitle, { x: 24, y: bottom - 18, size: 12.5, kind: 'soft' }),
    area(step => step.admitted + step.throttled, 'out'),
    area(({ admitted }) => admitted, 'in'),
    `<path class="axis" d="M${PLOT.left} ${bottom}h${PLOT.width}"/>`,
    text(figure, {
      x: RIGHT,
      y: bottom - 38,
      size: 20,
      weight: 700,
      anchor: 'end',
      kind: throttled > 0 ? 'bad' : 'good',
    }),
    text(detail, { x: RIGHT, y: bottom - 18, size: 12.5, anchor: 'end', kind: 'soft' }),
  ].join('\n')
}

function legend(): string {
  const entry = (x: number, kind: string, words: string) =>
    `<rect class="${kind}" x="${x}" y="76" width="12" height="12" rx="2"/>\n${text(words, { x: x + 18, y: 87, size: 13 })}`
  return [
    entry(PLOT.left, 'out', 'logins that RDS throttles'),
    entry(PLOT.left + 200, 'in', 'logins that it lets in'),
  ].join('\n')
}

/** For those who do not see the picture. */
function describe(title: string, rows: readonly PictureRow[]): string {
  return `${title}. ${rows.map(row => `${row.title}: ${row.figure}, ${row.detail}.`).join(' ')}`
}

function averages(seconds: readonly Second[]): Second[] {
  return Array.from({ length: Math.ceil(seconds.length / STEP_SECONDS) }, (_, i) => {
    const part = seconds.slice(i * STEP_SECONDS, (i + 1) * STEP_SECONDS)
    const mean = (of: (second: Second) => number) =>
      part.reduce((sum, second) => sum + of(second), 0) / STEP_SECONDS
    return { admitted: mean(({ admitted }) => admitted), throttled: mean(({ throttled }) => throttled) }
  })
}

interface TextStyle {
  x: number
  y: number
  size: number
  weight?: number
  anchor?: 'start' | 'middle' | 'end'
  kind?: string
}

function text(
  words: string,
  { x, y, size, weight = 400, anchor = 'start', kind = 'text' }: TextStyle,
): string {
  return `<text class="${kind}" x="${round(x)}" y="${round(y)}" font-size="${size}" font-weight="${weight}" text-anchor="${anchor}">${escapeXml(words)}</text>`
}

const round = (n: number) => Math.round(n * 10) / 10
const escapeXml = (words: string) =>
  words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')

/** Rounds up to a multiple of half its power of ten: 1,234 to 1,500. */
function roundUp(n: number): number {
  const step = 10 ** Math.floor(Math.log10(n)) / 2
  return Math.ceil(n / step) * step
}
