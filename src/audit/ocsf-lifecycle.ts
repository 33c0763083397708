import type { LifecycleRecord } from './lifecycle-record.ts'
import {
  classification,
  INFORMATIONAL,
  MEDIUM,
  type OcsfChoice,
  type OcsfKind,
  recordedText,
  unmappedOf,
} from './ocsf-event.ts'

const APPLICATION_LIFECYCLE: OcsfChoice = { id: 6002, name: 'Application Lifecycle' }
/** `Update` of the schema is a new release, so that another configuration is `Other`, whose name is ours. */
const RELOAD: OcsfChoice = { id: 99, name: 'Reload' }

const KINDS: Readonly<Record<LifecycleRecord['type'], Omit<OcsfKind, 'class'> & { message: string }>> = {
  'jeton.audit.started': {
    activity: { id: 3, name: 'Start' },
    severity: INFORMATIONAL,
    isSuccess: true,
    message: 'started',
  },
  'jeton.audit.reloaded': {
    activity: RELOAD,
    severity: INFORMATIONAL,
    isSuccess: true,
    message: 'reloaded its configuration',
  },
  'jeton.audit.reload_refused': {
    activity: RELOAD,
    severity: MEDIUM,
    isSuccess: false,
    message: 'refused a configuration, and keeps the one before',
  },
  'jeton.audit.stopped': {
    activity: { id: 4, name: 'Stop' },
    severity: INFORMATIONAL,
    isSuccess: true,
    message: 'stopped',
  },
}

/** Members that attributes of their own have; `unmapped` has all others. */
const MAPPED = ['type', 'v', 'id', 'time', 'jeton']

/** Returns the attributes of the event of a lifecycle record, without those that all events have. Expects values of any type. */
export function lifecycleAttributes(record: LifecycleRecord) {
  const { message, ...kind } = KINDS[record.type]
  return {
    ...classification({ class: APPLICATION_LIFECYCLE, ...kind }),
    message: `jeton ${recordedText(record.instance) ?? ''}: ${message}`,
    app: { name: 'jeton', version: recordedText(record.jeton) },
    unmapped: unmappedOf(record, MAPPED),
  }
}
