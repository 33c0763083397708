import { readFile } from 'node:fs/promises'

export interface Target {
  readonly refId: string
  readonly expr: string
  readonly instant?: boolean
  readonly datasource: { readonly type: string; readonly uid: string }
}

export interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly datasource?: Target['datasource']
  readonly targets?: readonly Target[]
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } }
}

export interface Variable {
  readonly name: string
  readonly type: string
  readonly definition?: string
}

/** As much of a dashboard's model as the tests look at. */
export interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly schemaVersion: number
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly Variable[] }
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr: string }[] }
  readonly __requires: readonly { readonly type: string; readonly id: string }[]
}

export async function readDashboard(): Promise<Dashboard> {
  return JSON.parse(await readFile(new URL('../../deploy/grafana.json', import.meta.url), 'utf8'))
}

/** The queries of panels and annotations, with what they are of. */
export function queriesOf({
  panels,
  annotations,
}: Dashboard): { readonly of: string; readonly expr: string }[] {
  return [
    ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ of: title, expr }))),
    ...annotations.list.map(({ name, expr }) => ({ of: name, expr })),
  ]
}
