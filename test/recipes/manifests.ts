import { readFile } from 'node:fs/promises'
import { parseAllDocuments } from 'yaml'

export interface Container {
  name: string
  env?: { name: string; value: string }[]
  volumeMounts: { name: string; mountPath: string; readOnly?: boolean }[]
}

export interface Sidecar extends Container {
  args: string[]
  ports: [{ name: string; containerPort: number }]
  restartPolicy: string
  startupProbe: Probe
  livenessProbe: Probe
}

export interface Probe {
  httpGet: { path: string; port: string }
}

export interface PodSpec {
  securityContext: { runAsUser: number; runAsNonRoot: boolean }
  initContainers: [Sidecar]
  containers: [Container]
  volumes: { name: string; emptyDir?: object; projected?: { sources: [{ serviceAccountToken: object }] } }[]
}

/** Returns the text of a file in `deploy/`. */
export function readDeployFile(path: string): Promise<string> {
  return readFile(new URL(`../../deploy/${path}`, import.meta.url), 'utf8')
}

/** Returns the one Deployment of a manifest in `deploy/kubernetes/`. */
export async function readDeployment(name: string): Promise<{ spec: { template: { spec: PodSpec } } }> {
  const documents = parseAllDocuments(await readDeployFile(`kubernetes/${name}`))
  return documents.map(document => document.toJS()).find(({ kind }) => kind === 'Deployment')
}
