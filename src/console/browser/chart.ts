import uPlot from 'uplot'
import { drawLimits, TOP_LIMIT } from './chart-limits.ts'

const HEIGHT = 190
/** On less, the names of minutes would overlap (px). */
const NARROW = 520
/** Above the higher of both limits that the scale reaches, there is room for their names. */
const HEADROOM = 1.3

export interface ChartNumbers {
  /** New tokens of each second, the one that is not over last. */
  counts: readonly number[]
  /** What jeton delivers at most in one. */
  limit: number
}

/** Draws bars into an element, in the colours of its style, and again when these or its width change. */
export function drawChart(
  element: HTMLElement,
  first: ChartNumbers,
): { update(numbers: ChartNumbers): void } {
  let numbers = first
  let shown = ''
  const color = colorsIn(element)
  const widthOf = () => Math.max(element.clientWidth, 200)
  const plot = new uPlot(
    {
      width: widthOf(),
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 26, 0, 0],
      scales: {
        x: { time: false },
        y: { range: (_plot, _min, max) => [0, Math.max(TOP_LIMIT, max) * HEADROOM] },
      },
      series: [
        {},
        {
          fill: () => color('--bar'),
          width: 0,
          points: { show: false },
          ...(uPlot.paths.bars && { paths: uPlot.paths.bars({ size: [1, 12, 1], align: -1 }) }),
        },
      ],
      axes: [
        {
          stroke: () => color('--muted'),
          font: '12px system-ui, sans-serif',
          grid: { show: false },
          ticks: { stroke: () => color('--line'), width: 1, size: 5 },
          splits: minutes,
          values: (_plot, splits) => splits.map(minuteText),
        },
        {
          stroke: () => color('--muted'),
          font: '12px system-ui, sans-serif',
          size: 34,
          grid: { stroke: () => color('--line'), width: 1 },
          ticks: { show: false },
          splits: () => [0, 5, 10, 15, 20],
        },
      ],
      hooks: { draw: [self => drawLimits(self, { limit: numbers.limit, color })] },
    },
    dataOf(numbers),
    element,
  )
  new ResizeObserver(() => {
    if (plot.width !== widthOf()) plot.setSize({ width: widthOf(), height: HEIGHT })
  }).observe(element)
  for (const query of ['(prefers-color-scheme: dark)', '(prefers-contrast: more)', 'print'])
    matchMedia(query).addEventListener('change', () => plot.redraw(false))

  return {
    update(changed) {
      const text = `${changed.limit} ${changed.counts.join(' ')}`
      if (text === shown) return
      shown = text
      numbers = changed
      plot.setData(dataOf(changed))
    },
  }
}

/** Returns a function for the colours of style variables: a canvas does not know variables. */
function colorsIn(element: HTMLElement): (name: string) => string {
  const probe = element.appendChild(document.createElement('span'))
  return name => {
    probe.style.color = `var(${name})`
    return getComputedStyle(probe).color
  }
}

/** Seconds before the one that is not over, which is 0. */
function dataOf({ counts }: ChartNumbers): uPlot.AlignedData {
  return [counts.map((_count, index) => index + 1 - counts.length), [...counts]]
}

function minutes(plot: uPlot, _axis: number, min: number): number[] {
  const step = plot.width < NARROW ? 120 : 60
  return Array.from({ length: Math.floor(-min / step) + 1 }, (_none, index) => -step * index).reverse()
}

function minuteText(seconds: number): string {
  return seconds === 0 ? 'now' : `${-seconds / 60} min ago`
}
