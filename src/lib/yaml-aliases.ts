import { type Alias, type Document, isAlias } from 'yaml'
import { aliasTargets, walkYaml } from './yaml-nodes.ts'

/** Anchors save typing; nobody uses more of them, and to resolve them takes the square of their number. */
export const MAX_ALIASES = 10_000

/** What is wrong with an alias: no anchor before it, its own anchor around it, or too many aliases before it. */
export interface AliasFault {
  readonly alias: Alias
  readonly kind: 'unanchored' | 'recursive' | 'excessive'
}

/** Returns the aliases that cannot be resolved; of those that are too many, the first. */
export function aliasFaults(document: Pick<Document, 'contents'>): AliasFault[] {
  const targets = aliasTargets(document)
  const faults: AliasFault[] = []
  let count = 0
  for (const { node: alias } of walkYaml(document)) {
    if (!isAlias(alias)) continue
    if (++count > MAX_ALIASES) return [...faults, { alias, kind: 'excessive' }]
    const target = targets.get(alias)
    if (target === undefined) faults.push({ alias, kind: 'unanchored' })
    // it comes after the beginning of what it stands for, so before its end is within
    else if (endOf(target.range) > startOf(alias.range)) faults.push({ alias, kind: 'recursive' })
  }
  return faults
}

function startOf(range: Alias['range']): number {
  return range?.[0] ?? 0
}

function endOf(range: Alias['range']): number {
  return range?.[1] ?? 0
}
