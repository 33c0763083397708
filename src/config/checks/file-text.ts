import type { Report } from '../problems.ts'
import type { Files } from '../source/files.ts'

/**
 * Returns the text of a file that the configuration names, without the byte order mark that some editors put in front;
 * undefined if it is not read. Reports why it cannot be read, and text that is not UTF-8.
 */
export async function readFileText(
  path: string,
  { files, report }: { files: Files; report: Report },
): Promise<string | undefined> {
  const text = await files.read(path, report)
  if (text === undefined) return undefined
  if (isUtf16(text)) {
    report.problem('names a file in UTF-16, as PowerShell writes it: save it as UTF-8')
    return undefined
  }
  return text.replace(/^\uFEFF/, '')
}

/** A mark of UTF-16 is not UTF-8, and half of the bytes of ASCII in UTF-16 are 0. */
function isUtf16(text: string): boolean {
  return /^\uFFFD\uFFFD/.test(text) || /^[^\0]?\0[^\0]?\0/.test(text) || /^[^\0]\0/.test(text)
}
