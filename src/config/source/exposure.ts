import { realpath, stat } from 'node:fs/promises'

/** What others on this machine may do with a file, by its mode. */
export interface Exposure {
  readonly isReadable: boolean
  readonly isWritable: boolean
}

const OTHERS_READ = 0o004
const OTHERS_WRITE = 0o002

/** Where Docker and Podman mount secrets, which are readable for all within the container alone. */
const CONTAINER_SECRETS = /^(?:\/var)?\/run\/secrets\//
/** A folder of the kubelet's, such as `..2026_11_26_09_00_00.123`: it gives files mode 0644 within a container. */
const KUBERNETES_VOLUME = /\/\.\.[^/]+\//

/**
 * Returns what others may do with a file on this machine; undefined if it is not there, if modes say nothing (Windows), or if a
 * container's runtime mounted it for that container. Its group is left aside: it is chosen on purpose. So are its folders.
 */
export async function exposureOf(
  path: string,
  platform: NodeJS.Platform = process.platform,
): Promise<Exposure | undefined> {
  if (platform === 'win32') return undefined
  try {
    const [{ mode }, real] = await Promise.all([stat(path), realpath(path)])
    if (CONTAINER_SECRETS.test(real) || KUBERNETES_VOLUME.test(real)) return undefined
    return { isReadable: (mode & OTHERS_READ) !== 0, isWritable: (mode & OTHERS_WRITE) !== 0 }
  } catch {
    return undefined
  }
}
