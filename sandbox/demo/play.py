"""The demo from beginning to end."""

import json
import time
from pathlib import Path

from sandbox.demo.checks import Seen, checks, complaint
from sandbox.demo.expected import JANE, LOGGED
from sandbox.demo.lines import (
    Subject,
    Teller,
    request_outcome,
    request_subject,
    webhook_outcome,
    webhook_subject,
    where_to_look,
)
from sandbox.demo.scenes import SCENES, Scene
from sandbox.demo.stage import ANSWER_WITHIN_S, Row, Stage, stage
from sandbox.demo.visit import visit
from sandbox.processes import Failure, Told, TooLate
from sandbox.redis_server import NoRedisServer

PAUSE_S = 1.2


def run(folder: Path, *, check: bool) -> int:
    """The exit code, after all that was started has ended."""
    teller = Teller()
    try:
        # Nobody visits a check, so it leaves the usual ports to others.
        with stage(folder.absolute(), usual_ports=not check) as made:
            code = Demo(made, teller).play(check=check)
    except Told as told:
        teller.tell(f"\ndemo: stopped half-way, by {told}")
        return 128 + told.number
    except (Failure, NoRedisServer) as failure:
        teller.tell(f"\ndemo: {failure}", fg="red")
        return 1
    if not check:
        teller.tell("Everything has stopped.")
    return code


class Demo:
    """One demo on its stage."""

    def __init__(self, made: Stage, teller: Teller) -> None:
        self._stage = made
        self._teller = teller
        self._answers: list[int] = []
        # The webhooks of which it is not told yet how they ended, by the ids of their inbound events.
        self._untold: dict[str, Subject] = {}
        # The sandbox's journal since the demo began, by its numbers; all those up to the second number are in it.
        self._requests: dict[int, Row] = {}
        self._began_at = self._looked_until = 0

    def play(self, *, check: bool) -> int:
        """Start everything and send the webhooks; then compare the outcome, or stay until told to end."""
        self._teller.tell("Starting a Redis, a Klaviyo of our own, the web server, a worker and the clock …")
        began = time.monotonic()
        self._stage.set_up()
        before = [entry["number"] for entry in self._stage.sandbox("requests")]
        self._began_at = self._looked_until = max(before, default=0)
        self._teller.tell(f"Ready after {time.monotonic() - began:.1f} s.")
        for number, scene in enumerate(SCENES, 1):
            if not check:
                self._stage.children.pause(PAUSE_S)
            self._teller.tell(f"\n{number:2}. {scene.title}", bold=True)
            try:
                self._play(scene)
            except TooLate as late:
                if not check:
                    raise
                # The rest would be late as well. The checks name what is missing.
                self._teller.tell(str(late), fg="red")
                break
            if self._untold and not check:
                self._tell_ends(*self._lists())
        return self._compare() if check else self._stay()

    def _play(self, scene: Scene) -> None:
        for command in scene.commands:
            self._teller.row("the shop", Subject(f"flask {command.replace('{folder}/', '')}"))
        self._stage.commands(*scene.commands)
        self._tell_requests()
        if scene.fault:
            self._stage.ask("POST", f"{self._stage.klaviyo}/sandbox/faults", json=scene.fault)
        for body in scene.bodies:
            self._post(body, stays=scene.stays)

    def _post(self, body: bytes, stays: int) -> None:
        told = len(self._requests)
        answer = self._stage.ask("POST", self._stage.webhook_url, data=body)
        said, subject = answer.json(), webhook_subject(body)
        self._answers.append(answer.status_code)
        self._teller.row("Vrio → us", subject, *webhook_outcome(answer.status_code, said))
        self._stage.children.wait_until(lambda: self._has_come_to_rest(stays), "what follows from this webhook")
        if len(self._requests) == told and not said.get("duplicate"):
            self._untold[said["id"]] = subject

    def _has_come_to_rest(self, stays: int) -> bool | None:
        # Asked first: whatever was sent until then is in the journal.
        at_rest = self._stage.is_at_rest(retrying=stays)
        self._tell_requests()
        return at_rest

    def _tell_requests(self) -> None:
        """Tell of the requests that Klaviyo has answered since the last look."""
        for entry in self._stage.sandbox("requests", since=self._looked_until):
            if entry["status"] is None or entry["number"] in self._requests:
                continue
            subject = request_subject(entry)
            earlier = [told for told in self._requests.values() if request_subject(told)[:2] == subject[:2]]
            self._requests[entry["number"]] = entry
            if entry["method"] == "GET":
                continue  # Whether a key is good; nothing is told to Klaviyo.
            self._teller.row("us → Klaviyo", subject, *request_outcome(entry, earlier))
        while self._looked_until + 1 in self._requests:
            self._looked_until += 1

    def _lists(self) -> list[list[Row]]:
        return self._stage.lists("inbound list", "delivery list")

    def _tell_ends(self, inbound: list[Row], deliveries: list[Row]) -> None:
        """Tell how those webhooks ended for which Klaviyo was asked nothing, or not at once."""
        ends = {row["id"]: row for row in inbound}
        opened = {each: [row for row in deliveries if row["inbound_event"] == each] for each in self._untold}
        unsent = {each: [row for row in rows if row["status"] != "accepted"] for each, rows in opened.items()}
        shown = self._stage.commands(*(f"delivery show {rows[0]['id']} --json" for rows in unsent.values() if rows))
        reasons = {row["inbound_event"]: (row["meaning"], row["remedy"]) for row in map(json.loads, shown)}
        for inbound_id, subject in self._untold.items():
            status, reason = ends[inbound_id]["status"], ends[inbound_id]["reason"]
            if unsent[inbound_id]:
                for row in unsent[inbound_id]:
                    what = Subject(f"{row['metric']} {row['unique_id']}", subject.who)
                    self._teller.row("not sent", what, row["reason"], "yellow")
                self._teller.sentences(*reasons[inbound_id])
            elif opened[inbound_id]:
                self._teller.row("sent later", subject)
                self._teller.sentences("It waited until Vrio had told of what was missing.")
            elif status == "processed":
                self._teller.row("nothing new", subject)
                self._teller.sentences("All that follows from it was promised to Klaviyo before.")
            else:
                self._teller.row(status, subject)
                self._teller.sentences(reason)
        self._untold.clear()

    def _compare(self) -> int:
        inbound, deliveries = self._lists()
        self._teller.tell("\nWhat Klaviyo was not told of, or not at once", bold=True)
        self._tell_ends(inbound, deliveries)
        customers = {row["customer"] for row in deliveries if f"{row['metric']} {row['unique_id']}" in LOGGED}
        logs = self._stage.commands(*(f"customer show {customer} --json" for customer in customers))
        seen = Seen(
            answers=self._answers,
            requests=self._stage.sandbox("requests", since=self._began_at),
            events=self._stage.sandbox("events"),
            profiles=self._stage.sandbox("profiles"),
            faults=self._stage.sandbox("faults"),
            inbound=inbound,
            deliveries=deliveries,
            attempts=[attempt for log in logs for attempt in json.loads(log)["webhooks"][::-1]],
            visit=visit(self._stage.link_to_log_of(JANE), timeout_s=ANSWER_WITHIN_S),
        )
        made = list(checks(seen))
        failed = [check for check in made if check.expected != check.found]
        for check in failed:
            self._teller.tell(f"\n{complaint(check)}", fg="red")
        outcome = f"{len(failed)} of {len(made)} checks failed" if failed else f"{len(made)} checks passed"
        self._teller.tell(f"\ndemo: {outcome}")
        return 1 if failed else 0

    def _stay(self) -> int:
        link = self._stage.link_to_log_of(JANE)
        self._teller.tell(where_to_look(self._stage.folder, self._stage.klaviyo, self._stage.webhook_url, link))
        try:
            while True:
                self._tell_requests()
                self._stage.children.pause(0.2)
        except Told:
            self._teller.tell("\nStopping …")
            return 0
