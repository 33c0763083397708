import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Report } from './report.ts'

/** The files that a configuration names; a relative path is relative to the configuration's own folder. */
export interface Files {
  absolute(path: string): string
  /** The file's text; undefined where there is none to look at. What cannot be read is reported. */
  read(path: string, report: Report): Promise<string | undefined>
}

/** Problems do not quote the path: what stands in its place may be the key that belongs in the file. */
export function filesBeside(folder: string): Files {
  const absolute = (path: string) => resolve(folder, path)
  return {
    absolute,
    async read(path, report) {
      if (/\n|-----BEGIN/.test(path)) {
        report.problem('holds what belongs in a file: give the path of the file')
        return undefined
      }
      try {
        return await readFile(absolute(path), 'utf8')
      } catch (cause) {
        report.problem(
          `names a file that cannot be read (${codeOf(cause)}); a relative path is relative to the folder of the configuration`,
        )
        return undefined
      }
    },
  }
}

/** For who needs none of their contents: reads nothing and reports nothing. */
export function unreadFiles(folder: string): Files {
  return { absolute: path => resolve(folder, path), read: async () => undefined }
}

/** The system's name of an error, `ENOENT`; never its message. */
export function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
}
