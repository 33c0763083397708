import { drawChart } from './chart.ts'
import { UPDATED } from './updated.ts'

type Chart = ReturnType<typeof drawChart>

const charts = new WeakMap<HTMLElement, Chart>()

/** Draws the bars of each resource, and those that have changed since. */
function drawAll(): void {
  for (const figure of document.querySelectorAll<HTMLElement>('[data-chart]')) {
    const drawing = figure.querySelector<HTMLElement>('.drawing')
    if (!drawing) continue
    const numbers = {
      counts: (figure.dataset.counts ?? '').split(' ').map(Number),
      limit: Number(figure.dataset.limit),
    }
    const chart = charts.get(drawing)
    if (chart) chart.update(numbers)
    else charts.set(drawing, drawChart(drawing, numbers))
  }
}

drawAll()
document.addEventListener(UPDATED, drawAll)
