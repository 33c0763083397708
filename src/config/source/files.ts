import type { Report } from '../report.ts'

/** The files that a configuration names; a relative path is relative to the configuration's own folder. */
export interface Files {
  /** The whole path of a file of this machine. */
  absolute(path: string): string
  /** The file's text; undefined where there is none to look at. What cannot be read is reported. */
  read(path: string, report: Report): Promise<string | undefined>
}

export interface FileAccess extends Pick<Files, 'absolute'> {
  textAt(path: string): Promise<string>
  /** Why that failed, in a few words that no secret can stand in. */
  reason(cause: unknown): string
}

/** Problems do not quote the path: what stands in its place may be the key that belongs in the file. */
export function filesFrom({ absolute, textAt, reason }: FileAccess): Files {
  return {
    absolute,
    async read(path, report) {
      if (/\n|-----BEGIN/.test(path)) {
        report.problem('holds what belongs in a file: give the path of the file')
        return undefined
      }
      try {
        return await textAt(path)
      } catch (cause) {
        report.problem(
          `names a file that cannot be read (${reason(cause)}); a relative path is relative to the folder of the configuration`,
        )
        return undefined
      }
    },
  }
}

/** For who needs none of their contents: reads nothing and reports nothing. */
export function withoutFiles({ absolute }: Files): Files {
  return { absolute, read: async () => undefined }
}

/** The system's name of an error, `ENOENT`; never its message. */
export function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
}
