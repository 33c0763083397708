import type uPlot from 'uplot'

/** RDS's, of logins a second by different identities: the scale reaches it. */
export const TOP_LIMIT = 20
/** RDS's, of all logins a second with different tokens: far above any bar. */
const OFF_SCALE = 200

/** So far apart are two lines whose names fit between them (px). */
const MIN_DISTANCE = 18

interface Line {
  /** In pixels of the canvas. */
  y: number
  color: string
  dash: readonly number[]
  text: string
  textAbove: boolean
  align: 'left' | 'right'
}

/** Draws the limits over the bars: jeton's, RDS's 20, and at the edge the 200 that the scale does not reach. */
export function drawLimits(
  plot: uPlot,
  { limit, color }: { limit: number; color: (name: string) => string },
): void {
  const at = (value: number) => plot.valToPos(value, 'y', true)
  const isTight = Math.abs(at(limit) - at(TOP_LIMIT)) < MIN_DISTANCE * devicePixelRatio
  const lines: Line[] = [
    {
      y: at(limit),
      color: color('--accent'),
      dash: [],
      text: `jeton ${limit}`,
      textAbove: !isTight,
      align: 'left',
    },
    {
      y: at(TOP_LIMIT),
      color: color('--warn'),
      dash: [6, 4],
      text: `RDS ${TOP_LIMIT} by identity`,
      textAbove: true,
      align: 'left',
    },
    {
      y: plot.bbox.top,
      color: color('--muted'),
      dash: [2, 4],
      text: `RDS ${OFF_SCALE} in all, above this scale ↑`,
      textAbove: false,
      align: 'right',
    },
  ]
  plot.ctx.save()
  for (const line of lines) drawLine(plot, { ...line, halo: color('--surface') })
  plot.ctx.restore()
}

function drawLine(
  { ctx, bbox }: uPlot,
  { y, color, dash, text, textAbove, align, halo }: Line & { halo: string },
): void {
  const { devicePixelRatio: pixels } = globalThis
  ctx.strokeStyle = color
  ctx.fillStyle = color
  ctx.lineWidth = 1.5 * pixels
  ctx.setLineDash(dash.map(length => length * pixels))
  ctx.beginPath()
  ctx.moveTo(bbox.left, y)
  ctx.lineTo(bbox.left + bbox.width, y)
  ctx.stroke()
  ctx.font = `${12 * pixels}px system-ui, sans-serif`
  ctx.textAlign = align
  ctx.textBaseline = textAbove ? 'bottom' : 'top'
  const x = align === 'left' ? bbox.left + 6 * pixels : bbox.left + bbox.width - 6 * pixels
  const textY = y + (textAbove ? -3 : 4) * pixels
  // legible over bars, too
  ctx.strokeStyle = halo
  ctx.lineWidth = 4 * pixels
  ctx.lineJoin = 'round'
  ctx.setLineDash([])
  ctx.strokeText(text, x, textY)
  ctx.fillText(text, x, textY)
}
