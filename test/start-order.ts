import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The files that take longest, those with one long test first: if one of them started last, one core would do nothing meanwhile. */
export const LONGEST = [
  'test/soak/soak.test.ts',
  'test/simulation/simulation.test.ts',
  'test/attacks/queue.test.ts',
  'test/e2e/slow-sts.test.ts',
  'test/e2e/fleet-time.test.ts',
  'test/e2e/demo-end.test.ts',
  'test/e2e/serve-own-access.test.ts',
  'test/e2e/check-live.test.ts',
  'test/audit/file/processes.test.ts',
  'test/infra/parameters.test.ts',
  'test/infra/package.test.ts',
  'test/recipes/java.test.ts',
  'test/recipes/go.test.ts',
  'test/e2e/demo.test.ts',
] as const

/** A file that is to be started, and whether it gets a process of its own. */
export interface StartingFile {
  readonly path: string
  readonly isIsolated: boolean
}

/** Returns the files in the order to start them in: the longest, others with processes of their own, those that share one. */
export function startOrder<File extends StartingFile>(files: readonly File[]): File[] {
  const rank = ({ path, isIsolated }: File) => {
    const position = LONGEST.findIndex(long => path.endsWith(`/${long}`))
    return position >= 0 ? position : isIsolated ? LONGEST.length : LONGEST.length + 1
  }
  return files.toSorted((a, b) => rank(a) - rank(b))
}

/** Vitest's own order, which begins with large files and what failed before, within that of `startOrder`. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const specifications = await super.sort(files)
    const starting = specifications.map(specification => ({
      specification,
      path: specification.moduleId,
      isIsolated: specification.project.config.isolate,
    }))
    return startOrder(starting).map(({ specification }) => specification)
  }
}
