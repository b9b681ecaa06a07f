"""The plan that the dashboard's tests use, and ways to the parts of its pages.

Imports playwright only.
"""

from playwright.async_api import Locator, Page

TASKS = {
    "order": """
meta:
  title: Order something
  inputs:
    - {name: item, type: string, required: true, label: What, description: Its name}
    - {name: amount, type: integer, min: 1, max: 9, default: 1}
    - {name: size, type: string, enum: [small, large], default: small}
    - {name: fast, type: boolean, default: false}
    - {name: gifts, type: list<string>, count: "1-3", item: {pattern: "^[a-z]+$"}}
    - name: address
      type: dict
      properties: {town: {type: string, required: true}, floor: {type: integer, max: 90}}
    - {name: code, type: string, secret: true}
steps:
  confirm: {action: log, params: {message: "ordered {{ inputs.item }}"}}
  pack: {action: log, params: {message: packed}, depends_on: confirm}
  bill: {action: log, params: {message: billed}, depends_on: confirm}
  ship: {action: log, params: {message: shipped}, depends_on: [pack, bill]}
returns:
  item: "{{ inputs.item }}"
  amount: "{{ inputs.amount }}"
  gifts: "{{ inputs.gifts }}"
  address: "{{ inputs.address }}"
""",
    "hold": """
steps:
  begin: {action: log, params: {message: begun}}
  hold: {action: sleep, params: {seconds: 600}, depends_on: begin}
""",
    "noise": """
meta:
  inputs: [{name: word, type: string, required: true}]
steps:
  low: {action: log, params: {message: "{{ inputs.word }} whispered", level: debug}}
  middle: {action: log, params: {message: "{{ inputs.word }} said"}, depends_on: low}
  high:
    action: log
    params: {message: "{{ inputs.word }} shouted", level: error}
    depends_on: middle
""",
    "broken": """
meta: {inputs: [{name: why, type: string, default: "<img src=x onerror=alert(1)> broke"}]}
steps:
  walk: {action: log, params: {message: walked}}
  stumble: {action: fail, params: {message: "{{ inputs.why }}"}, depends_on: walk}
""",
}


def section(page: Page, name: str) -> Locator:
    """The part of the page with this heading."""
    return page.get_by_role("region", name=name, exact=True)


def state(page: Page) -> Locator:
    """How the system is, in the frame of the page."""
    return page.locator("header").get_by_role("status")


def heading(page: Page) -> Locator:
    """The name of the page."""
    return page.get_by_role("heading", level=1)


def log_lines(page: Page) -> Locator:
    """The lines of the log on the page."""
    return page.get_by_role("log")


def live(page: Page) -> Locator:
    """What the page of the log says of its connection."""
    return page.locator("main .page-head").get_by_role("status")
