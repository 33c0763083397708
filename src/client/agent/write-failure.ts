import { systemCode, systemCodeNote } from '../../lib/system-error.ts'
import { CallerError } from '../errors.ts'

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  EROFS: 'the file system is read-only',
  EACCES:
    'this user may not read it, or not write to its folder, where a new file takes the place of the old one',
  EPERM: 'this user may not replace it',
  EBUSY: 'it is mounted by itself, and cannot be replaced: mount its folder',
  EISDIR: 'it is a folder',
  ENOTSUP: 'it is no plain file',
  ENOTDIR: 'a part of its path is a file',
  ELOOP: 'its links go in a circle',
  EFBIG: 'it is larger than any file of this kind',
}

/** Returns why a file could not be written, in a sentence without what was to be in it. */
export function explainWriteFailure(path: string, cause: unknown): string {
  if (cause instanceof CallerError) return `${path} cannot be written: ${cause.message}`
  const hint = HINTS[systemCode(cause) ?? '']
  return `${path} cannot be written${hint === undefined ? '' : `: ${hint}`}${systemCodeNote(cause)}`
}
