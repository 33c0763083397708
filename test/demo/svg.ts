/** A recording of a terminal as an SVG: text that appears line by line and then stays. It needs no script and no font. */

const FONT_SIZE = 13
const LINE_HEIGHT = 19
/** Of a character, in `em`: a little more than that of the common monospaced fonts. */
const CHARACTER_WIDTH = 0.615
const MARGIN = 20
const TITLE_BAR = 30
const LINE_MS = 350
/** After the command, and before each step. */
const STEP_PAUSE_MS = 900

const STYLE = `text{font:${FONT_SIZE}px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#d1d9e0;white-space:pre}
.prompt{fill:#7ee787}.step{fill:#79c0ff;font-weight:600}.refusal{fill:#ffa198}
@keyframes appear{from{opacity:0}}
.line{animation:appear .2s backwards}
@media (prefers-reduced-motion:reduce){.line{animation:none}}`

/** Returns the recording of these lines. Without animation it shows all of them. */
export function renderRecording(lines: readonly string[]): string {
  const columns = Math.max(...lines.map(line => line.length))
  const width = Math.ceil(columns * CHARACTER_WIDTH * FONT_SIZE) + 2 * MARGIN
  const height = TITLE_BAR + lines.length * LINE_HEIGHT + MARGIN
  const moments = momentsOf(lines)
  const texts = lines.flatMap((line, index) => {
    if (line === '') return []
    const y = TITLE_BAR + (index + 1) * LINE_HEIGHT
    const classes = ['line', ...kindOf(line)].join(' ')
    return `<text class="${classes}" x="${MARGIN}" y="${y}" style="animation-delay:${moments[index]}ms">${escapeXml(line)}</text>`
  })
  const [command = ''] = lines
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>A terminal that runs ${escapeXml(command.slice(2))}</title>`,
    `<style>${STYLE}</style>`,
    `<rect x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="8" fill="#0d1117" stroke="#6e7681"/>`,
    ...['#ff5f57', '#febc2e', '#28c840'].map(
      (color, index) => `<circle cx="${MARGIN + index * 18}" cy="17" r="5" fill="${color}"/>`,
    ),
    ...texts,
    '</svg>',
    '',
  ].join('\n')
}

/** Returns the lines of a recording, empty ones included. */
export function linesIn(svg: string): string[] {
  const lines: string[] = []
  for (const [, y, text = ''] of svg.matchAll(/<text [^>]*y="(\d+)"[^>]*>([^<]*)<\/text>/g))
    lines[(Number(y) - TITLE_BAR) / LINE_HEIGHT - 1] = unescapeXml(text)
  return Array.from(lines, line => line ?? '')
}

/** When each line appears, in milliseconds. */
function momentsOf(lines: readonly string[]): number[] {
  let moment = 0
  return lines.map((line, index) => {
    if (index > 0 && line !== '') moment += isStep(line) || index === 2 ? STEP_PAUSE_MS : LINE_MS
    return moment
  })
}

const isStep = (line: string) => /^\d {2}/.test(line)

function kindOf(line: string): string[] {
  if (line.startsWith('$ ')) return ['prompt']
  if (isStep(line)) return ['step']
  return / 40[13] \w+:/.test(line) ? ['refusal'] : []
}

const escapeXml = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const unescapeXml = (text: string) =>
  text.replaceAll('&gt;', '>').replaceAll('&lt;', '<').replaceAll('&amp;', '&')
