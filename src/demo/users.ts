/** Someone the stand-in Pomerium can sign in. There is no password: these people exist only in the demo. */
export interface DemoUser {
  readonly login: string
  readonly id: string
  readonly email: string
  readonly name: string
  /** Group ids first, then the names of the same groups: the order in which Pomerium lists them. */
  readonly groups: readonly string[]
}

export const DEMO_USERS: readonly DemoUser[] = [
  {
    login: 'ana',
    id: '9c2de20b-7b02-4e48-9f12-2e4a3d57bd8c',
    email: 'ana@example.com',
    name: 'Ana Kovač',
    groups: ['g-1001', 'g-1002', 'admins', 'staff'],
  },
  {
    login: 'bob',
    id: '5b1f7c3e-0c55-4c0a-8d0e-8e3e6c1f4a21',
    email: 'bob@example.com',
    name: 'Bob Stone',
    groups: ['g-1002', 'staff'],
  },
  {
    login: 'lukasz',
    id: '0d5c2a86-61f7-4bb4-9d0b-3f0c7b1f6e19',
    email: 'lukasz@example.com',
    name: 'Łukasz Żak',
    groups: ['g-1002', 'staff'],
  },
  {
    login: 'hanako',
    id: 'e7b8f3d4-2f8a-4a39-8a54-6c1f0b9d2c57',
    email: 'hanako@example.com',
    name: '日本 花子',
    groups: ['g-1003', '開発'],
  },
]

/** `undefined` when nobody has this login. */
export const findDemoUser = (login: string | null | undefined): DemoUser | undefined =>
  DEMO_USERS.find((user) => user.login === login)
