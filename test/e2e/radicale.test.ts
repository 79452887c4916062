import t, { type Test } from 'tap'
import { startRadicale, withoutRadicale } from './apps.ts'
import { type Answer, type Sent, send } from './requests.ts'
import { type Stage, startStage } from './stage.ts'

const skip = withoutRadicale()

const CALENDAR = '/ana@example.com/work/'
const EVENT = `${CALENDAR}meeting.ics`

const MEETING = [
  ...['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//claimgate//test//EN'],
  ...['BEGIN:VEVENT', 'UID:meeting', 'DTSTAMP:20260101T000000Z', 'DTSTART:20260102T100000Z'],
  ...['SUMMARY:Meeting', 'END:VEVENT', 'END:VCALENDAR', ''],
].join('\r\n')

const QUERY = `<?xml version="1.0"?>
<c:calendar-query xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">
  <d:prop><d:getetag/></d:prop>
  <c:filter><c:comp-filter name="VCALENDAR"/></c:filter>
</c:calendar-query>`

/** One of each kind of access to Ana's calendar, with the status that its owner gets. */
const ACCESSES: readonly (Sent & { readonly method: string; readonly owner: number })[] = [
  { method: 'PROPFIND', target: CALENDAR, headers: ['Depth', '1'], owner: 207 },
  { method: 'REPORT', target: CALENDAR, headers: ['Depth', '1'], body: QUERY, owner: 207 },
  {
    method: 'PUT',
    target: EVENT,
    headers: ['Content-Type', 'text/calendar'],
    body: MEETING,
    owner: 201,
  },
  { method: 'GET', target: EVENT, owner: 200 },
]

/** Every spelling Radicale, being a WSGI app, takes for its user header. */
const FORGERIES = [
  'X-Remote-User',
  'X_Remote_User',
  'x-remote-user',
  'X-Remote_User',
  'X_REMOTE-USER',
]

const startCalendar = async (t: Test): Promise<{ stage: Stage; radicale: string }> => {
  const radicale = await startRadicale(t)
  const stage = await startStage(t, radicale, {
    CLAIMGATE_PRESET: 'none',
    CLAIMGATE_IDENTITY_HEADERS: 'X-Remote-User=email',
  })
  const made = await as(stage, 'ana', { method: 'MKCALENDAR', target: CALENDAR })
  t.equal(made.status, 201, 'Ana makes her calendar')
  return { stage, radicale }
}

const as = (stage: Stage, login: string, sent: Sent): Promise<Answer> =>
  send(stage.front, { ...sent, headers: ['Cookie', `demo_user=${login}`, ...(sent.headers ?? [])] })

t.test('Ana may use her calendar', { skip }, async (t) => {
  const { stage } = await startCalendar(t)
  for (const access of ACCESSES) {
    const { status, body } = await as(stage, 'ana', access)
    t.equal(status, access.owner, access.method)
    if (access.method === 'GET') t.match(body.toString('utf8'), 'SUMMARY:Meeting')
  }
})

t.test('Bob may not, and no forged spelling makes him Ana', { skip }, async (t) => {
  const { stage } = await startCalendar(t)
  for (const access of ACCESSES) {
    t.equal((await as(stage, 'bob', access)).status, 403, access.method)
    for (const name of FORGERIES) {
      const headers = [...(access.headers ?? []), name, 'ana@example.com']
      const { status } = await as(stage, 'bob', { ...access, headers })
      t.equal(status, 403, `${access.method} with ${name}`)
    }
  }
  t.equal((await as(stage, 'ana', { target: EVENT })).status, 404, 'nothing was written')
})

t.test('without an assertion nobody gets to Radicale', { skip }, async (t) => {
  const { stage } = await startCalendar(t)
  for (const access of ACCESSES) {
    const headers = [...(access.headers ?? []), 'X-Remote-User', 'ana@example.com']
    t.equal((await send(stage.gate, { ...access, headers })).status, 401, access.method)
  }
})

t.test('Radicale itself believes every spelling, so the test can fail', { skip }, async (t) => {
  const { radicale } = await startCalendar(t)
  for (const name of FORGERIES) {
    const headers = ['Depth', '1', name, 'ana@example.com']
    const { status } = await send(radicale, { method: 'PROPFIND', target: CALENDAR, headers })
    t.equal(status, 207, name)
  }
})
