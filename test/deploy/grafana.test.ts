import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { canRun } from '../support/databases/install.ts'
import { run } from '../support/run.ts'
import { queriesOf, readDashboard } from './board.ts'
import { readQuery } from './promql.ts'

const COLUMNS = 24
/** What Grafana puts in the place of its variables, for promtool. */
const VALUES: Readonly<Record<string, string>> = {
  $__rate_interval: '2m',
  $resource: 'db-ORDERS|db-LEDGER',
  $instance: '.*',
}

const dashboard = await readDashboard()
const { panels, templating } = dashboard
const queries = queriesOf(dashboard)
const shown = panels.filter(({ type }) => type !== 'row')

describe('the dashboard', () => {
  test('is one that Grafana 10 imports: a name of its own, and every kind of panel declared', () => {
    expect(dashboard).toMatchObject({ uid: 'jeton', title: 'jeton', schemaVersion: 39 })
    const declared = dashboard.__requires.filter(({ type }) => type === 'panel').map(({ id }) => id)
    expect(new Set(declared)).toEqual(new Set(shown.map(({ type }) => type)))
    expect(dashboard).not.toHaveProperty('id')
  })

  test('has panels with ids of their own, none over another and no gap in a row', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${y + Math.floor(at / w)}/${x + (at % w)}`),
    )
    const height = Math.max(...panels.map(({ gridPos: { y, h } }) => y + h))
    expect(new Set(cells).size).toBe(cells.length)
    expect(cells.length).toBe(height * COLUMNS)
    for (const { gridPos, title } of panels) expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(COLUMNS)
  })

  test('begins with the headroom', () => {
    const firstRow = panels.find(({ type }) => type === 'row')
    expect(firstRow?.title).toMatch(/^Headroom/)
    expect(panels[0]?.title).toBe('Limit used')
  })

  test('explains each panel, in a unit, from the source that was chosen', () => {
    for (const { title, description, datasource, targets = [], fieldConfig } of shown) {
      expect(description, title).toMatch(/\.$/)
      expect(fieldConfig?.defaults.unit, title).toBeTruthy()
      const refIds = targets.map(({ refId }) => refId)
      expect(refIds.length, title).toBeGreaterThan(0)
      expect(new Set(refIds).size, title).toBe(refIds.length)
      for (const source of [datasource, ...targets.map(target => target.datasource)])
        expect(source, title).toEqual({ type: 'prometheus', uid: `$\{datasource}` })
    }
    expect(new Set(shown.map(({ title }) => title)).size).toBe(shown.length)
  })

  test('has the variables that its queries use, and no others', () => {
    const used = [...JSON.stringify(queries).matchAll(/\$(?!__)(\w+)/g)].map(([, name]) => name)
    expect(new Set([...used, 'datasource'])).toEqual(new Set(templating.list.map(({ name }) => name)))
    expect(templating.list[0]).toMatchObject({ name: 'datasource', type: 'datasource' })
  })

  test('sums headroom over the fleet, whichever instance is chosen', () => {
    const ofFleet = queries.filter(({ expr }) => /jeton_(?:slots?_|next_free|new_tokens)/.test(expr))
    expect(ofFleet.length).toBeGreaterThan(8)
    for (const { of, expr } of ofFleet) expect(expr, of).not.toContain('$instance')
  })

  test('has figures of now alone: of a range, Grafana would show the last that there was, though nobody answers', () => {
    const figures = shown.filter(({ type }) => !['timeseries', 'state-timeline'].includes(type))
    expect(figures.length).toBeGreaterThan(8)
    for (const { title, targets = [] } of figures)
      for (const { instant } of targets) expect(instant, title).toBe(true)
  })

  test('divides by nothing that can be 0', () => {
    const divisors = queries.flatMap(({ expr }) => expr.split(' / ').slice(1))
    expect(divisors.length).toBeGreaterThan(3)
    for (const divisor of divisors)
      expect(divisor).toMatch(
        /^(?:\d{2}|clamp_min\(|on \(resource\) min by \(resource\) \(jeton_slots_per_second)/,
      )
  })

  test('never shows free or reserved slots without asking how old the reading is', () => {
    const slots = queries.filter(({ expr }) => /jeton_(?:slots_(?:free|reserved)|next_free_slot)/.test(expr))
    expect(slots.length).toBeGreaterThan(3)
    for (const { of, expr } of slots)
      expect(expr, of).toMatch(/and \(time\(\) - jeton_slots_read_timestamp_seconds\{[^}]*\}\) < 60/)
  })
})

test.runIf(await canRun(['prometheus']))('promtool understands every query of the dashboard', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'board-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const rules = queries.map(({ expr }, at) => ({
    record: `query:${at}`,
    expr: expr.replace(/\$\w+/g, name => VALUES[name] ?? name),
  }))
  const file = join(folder, 'queries.json')
  await writeFile(file, JSON.stringify({ groups: [{ name: 'board', rules }] }))
  const { code, stdout, stderr } = await run('promtool', ['check', 'rules', file])
  expect(`${stdout}${stderr}`).toContain(`SUCCESS: ${queries.length} rules found`)
  expect(code).toBe(0)
})

test('readQuery finds metrics with the labels of their matchers, and those that results are grouped by', () => {
  const expr = `histogram_quantile(0.9, sum by (le, sink) (rate(a_bucket{ok="by (no)", sink=~"x|y"}[5m])))
    / on (job) group_x:b:rate5m offset 10m > 0.8 and on (job) up unless (time() - c) < 60`
  expect(readQuery(expr)).toEqual({
    selectors: [
      { metric: 'a_bucket', labels: ['ok', 'sink'] },
      { metric: 'group_x:b:rate5m', labels: [] },
      { metric: 'up', labels: [] },
      { metric: 'c', labels: [] },
    ],
    grouping: ['le', 'sink', 'job', 'job'],
  })
})
