import { IDENTITIES_PER_SECOND, type Second } from './rds.ts'

/** One strategy's logins with new tokens, second by second. */
export interface Panel {
  readonly title: string
  readonly note: string
  readonly seconds: readonly Second[]
}

const WIDTH = 900
const LEFT = 64
const RIGHT = 24
const PLOT_HEIGHT = 130
const PANEL_HEIGHT = PLOT_HEIGHT + 66
const TOP = 58
const ADMITTED = '#1a6fb0'
const THROTTLED = '#d9534f'
const LIMIT = '#111111'
const FONT = 'font-family="system-ui, sans-serif" fill="#222222"'

/**
 * Draws the logins that reached RDS: admitted below, throttled on top, against RDS's limit. All panels share the time axis.
 * Each has its own scale, because the last would be a line at the bottom of the first.
 */
export function drawLogins(title: string, panels: readonly Panel[]): string {
  const minutes = Math.ceil(Math.max(...panels.map(({ seconds }) => seconds.length)) / 60)
  const height = TOP + panels.length * PANEL_HEIGHT
  const x = (second: number) => LEFT + (second / (minutes * 60)) * (WIDTH - LEFT - RIGHT)
  const drawnPanels = panels.map((panel, i) => drawPanel(panel, { top: TOP + i * PANEL_HEIGHT, minutes, x }))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeXml(title)}">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(title, { x: LEFT, y: 24, size: 16, weight: 600 }),
    legend(),
    ...drawnPanels,
    '</svg>',
    '',
  ].join('\n')
}

interface PanelLayout {
  top: number
  minutes: number
  x(second: number): number
}

function drawPanel({ title, note, seconds }: Panel, { top, minutes, x }: PanelLayout): string {
  const bottom = top + 24 + PLOT_HEIGHT
  const highest = Math.max(...seconds.map(({ admitted, throttled }) => admitted + throttled))
  const scale = roundUp(Math.max(highest, IDENTITIES_PER_SECOND * 1.25))
  const y = (perSecond: number) => bottom - (perSecond / scale) * PLOT_HEIGHT
  const steps = (of: (second: Second) => number) =>
    seconds
      .map((second, i) => `H${round(x(i))}V${round(y(of(second)))}`)
      .concat(`H${round(x(seconds.length))}`)
      .join('')
  const area = (of: (second: Second) => number, color: string) =>
    `<path fill="${color}" d="M${x(0)} ${bottom}${steps(of)}V${bottom}Z"/>`
  const limit = round(y(IDENTITIES_PER_SECOND))
  const ticks = [0, scale / 2, scale].map(value =>
    text(String(value), { x: LEFT - 8, y: y(value) + 4, size: 11, anchor: 'end' }),
  )
  const times = Array.from({ length: minutes + 1 }, (_, minute) => minute)
    .filter(minute => minute % 2 === 0)
    .map(minute => text(`${minute} min`, { x: x(minute * 60), y: bottom + 15, size: 11, anchor: 'middle' }))
  return [
    text(title, { x: LEFT, y: top + 12, size: 13, weight: 600 }),
    text(note, { x: WIDTH - RIGHT, y: top + 12, size: 12, anchor: 'end' }),
    area(({ admitted, throttled }) => admitted + throttled, THROTTLED),
    area(({ admitted }) => admitted, ADMITTED),
    `<path stroke="#888888" fill="none" d="M${LEFT} ${top + 24}V${bottom}H${WIDTH - RIGHT}"/>`,
    `<path stroke="${LIMIT}" stroke-width="1.5" stroke-dasharray="6 4" d="M${LEFT} ${limit}H${WIDTH - RIGHT}"/>`,
    ...ticks,
    ...times,
  ].join('\n')
}

function legend(): string {
  const box = (at: number, color: string) => `<rect x="${at}" y="37" width="12" height="12" fill="${color}"/>`
  const label = (at: number, words: string) => text(words, { x: at, y: 47, size: 12 })
  return [
    box(LEFT, ADMITTED),
    label(LEFT + 18, 'logins a second with a new token, admitted'),
    box(LEFT + 290, THROTTLED),
    label(LEFT + 308, 'throttled by RDS'),
    `<path stroke="${LIMIT}" stroke-width="1.5" stroke-dasharray="6 4" d="M${LEFT + 440} 43h30"/>`,
    label(LEFT + 478, `RDS's limit: ${IDENTITIES_PER_SECOND} identities a second`),
  ].join('\n')
}

interface TextStyle {
  x: number
  y: number
  size: number
  weight?: number
  anchor?: 'start' | 'middle' | 'end'
}

function text(words: string, { x, y, size, weight = 400, anchor = 'start' }: TextStyle): string {
  return `<text x="${round(x)}" y="${round(y)}" font-size="${size}" font-weight="${weight}" text-anchor="${anchor}" ${FONT}>${escapeXml(words)}</text>`
}

const round = (n: number) => Math.round(n * 10) / 10
const escapeXml = (words: string) =>
  words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')

/** Rounds up to a multiple of half its power of ten: 1,234 to 1,500. */
function roundUp(n: number): number {
  const step = 10 ** Math.floor(Math.log10(n)) / 2
  return Math.ceil(n / step) * step
}
