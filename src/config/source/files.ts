import type { Report } from '../problems.ts'
import type { Exposure } from './exposure.ts'

/** The files that a configuration names. */
export interface Files {
  /** Returns the absolute path of a file on this machine; relative paths start at the configuration's folder. */
  resolve(path: string): string
  /** Returns the text of a file, or undefined if it is not read. Reports why it cannot be read. */
  read(path: string, report: Report): Promise<string | undefined>
  /** Returns what others may do with a file that is on this machine; undefined if it is not, or that cannot be told. */
  exposureOf?(path: string): Promise<Exposure | undefined>
}

export interface FileAccess extends Pick<Files, 'resolve' | 'exposureOf'> {
  readText(path: string): Promise<string>
  /** Returns why reading failed, in a few words that contain no secret. */
  describeFailure(cause: unknown): string
}

/** Creates the port to files. Its problems do not quote a path, which may be the key that belongs in the file. */
export function createFiles({ resolve, readText, describeFailure, exposureOf }: FileAccess): Files {
  return {
    resolve,
    ...(exposureOf && { exposureOf }),
    async read(path, report) {
      if (/\n|-----BEGIN/.test(path)) {
        report.problem('contains what belongs in a file: use the path of the file instead')
        return undefined
      }
      try {
        return await readText(path)
      } catch (cause) {
        report.problem(
          `names a file that cannot be read (${describeFailure(cause)}); a relative path is relative to the folder of the configuration`,
        )
        return undefined
      }
    },
  }
}

/** Returns files that are not read, without a problem, for commands that do not need their content. */
export function withoutFiles({ resolve }: Files): Files {
  return { resolve, read: async () => undefined }
}
