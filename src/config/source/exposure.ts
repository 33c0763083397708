import { realpath, stat } from 'node:fs/promises'

/** What others on this machine may do with a file, by its mode. */
export interface Exposure {
  readonly isReadable: boolean
  readonly isWritable: boolean
}

const OTHERS_READ = 0o004
const OTHERS_WRITE = 0o002

/** Where a process has files whose modes say nothing, because it alone is there. */
const PLACES_OF_ONE_PROCESS = [
  // Docker and Podman mount secrets, readable for all within the container
  /^(?:\/var)?\/run\/secrets\//,
  // the kubelet gives files mode 0644, in a folder such as `..2026_11_26_09_00_00.123`
  /\/\.\.[^/]+\//,
  // the package of a function on Lambda, which runs only if all may read it
  /^\/var\/task\//,
]

/** Whether a path, free of links, is where a container's runtime or Lambda puts files for one process. */
export function isOfOneProcess(path: string): boolean {
  return PLACES_OF_ONE_PROCESS.some(place => place.test(path))
}

/**
 * Returns what others may do with a file on this machine; undefined if it is not there, or if its mode says nothing (on Windows,
 * or `isOfOneProcess`). Its group is left aside: it is chosen on purpose. So are its folders.
 */
export async function exposureOf(
  path: string,
  platform: NodeJS.Platform = process.platform,
): Promise<Exposure | undefined> {
  if (platform === 'win32') return undefined
  try {
    const [{ mode }, real] = await Promise.all([stat(path), realpath(path)])
    if (isOfOneProcess(real)) return undefined
    return { isReadable: (mode & OTHERS_READ) !== 0, isWritable: (mode & OTHERS_WRITE) !== 0 }
  } catch {
    return undefined
  }
}
