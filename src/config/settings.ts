import type { Rows, Setting, SettingName } from './setting.ts'
import { IDENTITY } from './settings/identity.ts'
import { TRAFFIC } from './settings/traffic.ts'
import { TRUST } from './settings/trust.ts'

/**
 * Every setting, in the order of the reference. `some_name` here is `some_name:` in YAML, `CLAIMGATE_SOME_NAME` in the
 * environment and `--some-name` as a flag. A missing row is a type error.
 */
export const SETTINGS: Rows<SettingName> = { ...TRUST, ...IDENTITY, ...TRAFFIC }

export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[]

/** Whether `name` is a setting, spelled as in YAML. */
export const isSettingName = (name: string): name is SettingName => Object.hasOwn(SETTINGS, name)

/** The row of a setting whose name is only known at run time. */
export const settingOf = (name: SettingName): Setting<unknown> => SETTINGS[name] as Setting<unknown>

export const envName = (name: SettingName): string => `CLAIMGATE_${name.toUpperCase()}`

export const flagName = (name: SettingName): string => `--${name.replaceAll('_', '-')}`
