import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { hasProgram } from '../support/databases/install.ts'
import { run } from '../support/run.ts'
import { readDeployFile, readDeployment } from './manifests.ts'

const hasKubectl = await hasProgram('kubectl')

describe.each(['proxy.yaml', 'agent.yaml'])('the manifest %s', name => {
  test('has a native sidecar for one user, with memory for what only that user may open', async () => {
    const pod = (await readDeployment(name)).spec.template.spec
    const [sidecar] = pod.initContainers
    const [program] = pod.containers
    expect(sidecar.restartPolicy).toBe('Always')
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 })
    expect(JSON.stringify([sidecar, program])).not.toContain('runAsUser')
    const shared = sidecar.volumeMounts.filter(mount =>
      program.volumeMounts.some(other => other.name === mount.name && other.mountPath === mount.mountPath),
    )
    expect(shared.map(mount => pod.volumes.find(volume => volume.name === mount.name)?.emptyDir)).toEqual([
      { medium: 'Memory', sizeLimit: '1Mi' },
    ])
    const token = pod.volumes.find(({ projected }) => projected)
    expect(token?.projected?.sources[0].serviceAccountToken).toMatchObject({
      audience: 'jeton',
      path: 'token',
    })
    expect(sidecar.volumeMounts.find(mount => mount.name === token?.name)?.mountPath).toBe(
      '/var/run/secrets/jeton',
    )
    expect(program.volumeMounts.map(mount => mount.name)).not.toContain(token?.name)
  })

  test.runIf(hasKubectl)('has only fields that Kubernetes knows', async () => {
    const deployment = await readDeployment(name)
    // what it does not know it leaves out
    const known = async (object: object) => {
      const args = ['set', 'env', '--local', '-f', '-', '-o', 'json', 'ADDED=yes']
      const { stdout, stderr } = await run('kubectl', args, { input: JSON.stringify(object) })
      expect(stderr).toBe('')
      return JSON.parse(stdout)
    }
    expect(unknownFields(deployment, await known(deployment))).toEqual([])
    const wrong = structuredClone(deployment)
    Object.assign(wrong.spec.template.spec.initContainers[0], { startupProb: {} })
    expect(unknownFields(wrong, await known(wrong))).toEqual([
      'spec.template.spec.initContainers.0.startupProb',
    ])
  })
})

/** Returns the paths of what is in `given` and not the same in `known`. */
function unknownFields(given: unknown, known: unknown, path: readonly string[] = []): string[] {
  if (typeof given !== 'object' || given === null) return given === known ? [] : [path.join('.')]
  return Object.entries(given).flatMap(([key, value]) => {
    const other = (known as Record<string, unknown> | undefined)?.[key]
    return other === undefined ? [[...path, key].join('.')] : unknownFields(value, other, [...path, key])
  })
}

describe('compose', async () => {
  const { services, volumes } = parse(await readDeployFile('compose.yaml'))

  test('gives both services one user and one volume in memory', () => {
    expect(services.app.user).toBe(services.jeton.user)
    expect(services.app.volumes).toEqual(services.jeton.volumes)
    expect(volumes.sockets.driver_opts).toMatchObject({
      type: 'tmpfs',
      o: expect.stringContaining('mode=0700'),
    })
    expect(services.app.depends_on.jeton.condition).toBe('service_healthy')
  })

  test('starts the proxy as the pod does, but for the address that it is watched at', async () => {
    const pod = (await readDeployment('proxy.yaml')).spec.template.spec
    expect(services.jeton.command).toEqual(
      pod.initContainers[0].args?.map(word => word.replace('0.0.0.0:', '')),
    )
  })

  test('finds out whether the proxy is ready', async () => {
    let status = 200
    const server = createServer((request, response) =>
      response.writeHead(request.url === '/readyz' ? status : 404).end(),
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const [kind, file, ...args] = services.jeton.healthcheck.test as string[]
    expect(kind).toBe('CMD')
    const check = () =>
      run(
        file ?? '',
        args.map(word => word.replace('9465', String(port))),
      )
    expect(await check()).toMatchObject({ code: 0 })
    status = 503
    expect(await check()).toMatchObject({ code: 1, stderr: '' })
    server.closeAllConnections()
    server.close()
    expect(await check()).toMatchObject({ code: 1, stderr: '' })
  })
})
