"""Worlds of function-calling about the house and the desk: home, calendar, files.

Each domain is its functions over a state, `start` (a drawn state) and JOBS, each of which draws a wish that the state
allows, or None. What a real one has and these have not: permissions, time that passes, failures of their own.
"""

from __future__ import annotations

from types import SimpleNamespace

from harness.suites import beside

_job = beside(__file__, "_function_calling_job")
Job, call, known, one, some = _job.Job, _job.call, _job.known, _job.one, _job.some


# Home: devices in rooms, heating, doors.


def list_devices(state, room: str) -> list:
    """Devices of a room with their ids and settings."""
    return [{"id": k, **d} for k, d in state["devices"].items() if d["room"] == room.lower()]


def switch_device(state, device: str, on: bool) -> str:
    """Switch a device on or off."""
    known(state["devices"], device, "device")["on"] = on
    return "switched"


def set_level(state, device: str, percent: int) -> str:
    """Set how strong a device works, in percent; it may be off."""
    if not 0 <= percent <= 100:
        raise ValueError("a level is from 0 to 100 percent")
    known(state["devices"], device, "device")["percent"] = percent
    return "set"


def get_temperature(state, room: str) -> float:
    """Temperature that a room is heated to, in degrees Celsius."""
    return known(state["heating"], room.lower(), "room")


def set_temperature(state, room: str, celsius: float) -> str:
    """Set the temperature that a room is heated to, in degrees Celsius."""
    known(state["heating"], room.lower(), "room")
    state["heating"][room.lower()] = celsius
    return "set"


def lock_door(state, door: str, locked: bool) -> str:
    """Lock or unlock a door: front, back or garage."""
    known(state["locked"], door.lower(), "door")
    state["locked"][door.lower()] = locked
    return "locked" if locked else "unlocked"


def list_doors(state) -> dict:
    """Which doors are locked."""
    return state["locked"]


_ROOMS = ("kitchen", "bedroom", "study", "hallway", "cellar")
_KINDS = ("ceiling light", "reading lamp", "fan", "radio", "heater")


def _home(rng) -> dict:
    places = [(room, kind) for room in some(rng, _ROOMS, 4) for kind in some(rng, _KINDS, 3)]
    names = some(rng, range(10, 99), len(places))
    devices = {
        f"D{n}": {"room": room, "kind": kind, "on": bool(rng.integers(2)), "percent": 10 * int(rng.integers(11))}
        for n, (room, kind) in zip(names, places, strict=True)
    }
    heating = {room: 16.0 + int(rng.integers(14)) / 2 for room in {room: 0 for room, _ in places}}
    return {"devices": devices, "heating": heating,
            "locked": {door: bool(rng.integers(2)) for door in ("front", "back", "garage")}}  # fmt: skip


def _device(rng, state):
    return one(rng, sorted(state["devices"].items()))


def _dim(rng, state):
    key, d = _device(rng, state)
    percent = one(rng, [p for p in range(5, 100, 5) if p != d["percent"]])
    return Job(f"Set the {d['kind']} in the {d['room']} to {percent} percent.",
               (call(set_level, device=key, percent=percent),), (call(list_devices, room=d["room"]),), (),
               f"Set the {d['kind']} in the {d['room']} to another level.",
               f"To {percent} percent, please.")  # fmt: skip


def _toggle(rng, state):
    key, d = _device(rng, state)
    word = "off" if d["on"] else "on"
    # A room left out is missed where several rooms have such a device in the other state.
    alike = sum((o["kind"], o["on"]) == (d["kind"], d["on"]) for o in state["devices"].values())
    return Job(f"Switch the {d['kind']} in the {d['room']} {word}.", (call(switch_device, device=key, on=not d["on"]),),
               (call(list_devices, room=d["room"]),), (), f"Switch the {d['kind']} {word}." if alike > 1 else "",
               f"The one in the {d['room']}.")  # fmt: skip


def _all_off(rng, state):
    room = one(rng, sorted(state["heating"]))
    keys = [k for k, d in state["devices"].items() if d["room"] == room and d["on"]]
    if not keys:
        return None
    return Job(f"Switch off everything that is on in the {room}.",
               tuple(call(switch_device, device=k, on=False) for k in keys),
               (call(list_devices, room=room),))  # fmt: skip


def _warmer(rng, state):
    room, by = one(rng, sorted(state["heating"])), one(rng, (1.5, 2, 2.5, 3))
    return Job(f"Make the {room} {by:g} degrees warmer than it is heated now.",
               (call(set_temperature, room=room, celsius=state["heating"][room] + by),),
               (call(get_temperature, room=room),), (), f"Make the {room} warmer than it is heated now.",
               f"By {by:g} degrees.")  # fmt: skip


def _lock(rng, state):
    doors = [door for door, locked in state["locked"].items() if not locked]
    if not doors:
        return None
    return Job("Lock every door that is still unlocked.", tuple(call(lock_door, door=d, locked=True) for d in doors),
               (call(list_doors),))  # fmt: skip


# Calendar: events, guests, reminders.


def list_events(state, date: str) -> list:
    """Events of a date (YYYY-MM-DD), with their ids."""
    return [{"id": k, **e} for k, e in state["events"].items() if e["date"] == date]


def search_events(state, words: str) -> list:
    """Events whose title holds the words, with their ids."""
    return [{"id": k, **e} for k, e in state["events"].items() if words.lower() in e["title"].lower()]


def add_event(state, title: str, date: str, start: str, minutes: int = 60) -> str:
    """Add an event: date YYYY-MM-DD, start HH:MM; returns its id."""
    key = f"E{100 + len(state['events'])}"
    state["events"][key] = {"title": title, "date": date, "start": start, "minutes": minutes, "guests": {}}
    return key


def move_event(state, event: str, date: str, start: str) -> str:
    """Move an event to a date (YYYY-MM-DD) and a start (HH:MM)."""
    known(state["events"], event, "event").update(date=date, start=start)
    return "moved"


def cancel_event(state, event: str) -> str:
    """Cancel an event."""
    known(state["events"], event, "event")
    state["events"][event] = {"title": "cancelled", "date": "", "start": "", "minutes": 0, "guests": {}}
    return "cancelled"


def find_contact(state, name: str) -> str:
    """Mail address of a person."""
    return known({k.lower(): v for k, v in state["contacts"].items()}, name.lower(), "contact")


def invite_guest(state, event: str, address: str) -> str:
    """Invite a mail address to an event."""
    known(state["events"], event, "event")["guests"][address.lower()] = True
    return "invited"


_TITLES = ("budget review", "design talk", "team lunch", "sales call", "safety training", "hiring panel", "book club",
           "site visit", "press briefing", "choir practice")  # fmt: skip


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _calendar(rng) -> dict:
    month = int(rng.integers(1, 13))
    dates = [f"2026-{month:02}-{day:02}" for day in some(rng, range(2, 28), 3)]
    events = {}
    for k, (title, slot) in enumerate(zip(some(rng, _TITLES, 6), some(rng, range(9), 6), strict=True)):
        # Starts of a date differ, so that "the first" is one event.
        events[f"E{11 + 7 * k}"] = {"title": title, "date": dates[k % 3], "start": _clock(480 + 60 * slot),
                                    "minutes": 15 * int(rng.integers(2, 5)), "guests": {}}  # fmt: skip
    contacts = {name: f"{name.lower()}{int(rng.integers(10, 99))}@mail.example" for name in _job.PEOPLE}
    return {"events": events, "contacts": contacts}


def _event(rng, state):
    return one(rng, sorted((k, e) for k, e in state["events"].items() if e["date"]))


def _move(rng, state):
    key, e = _event(rng, state)
    date = f"2027-{int(rng.integers(1, 13)):02}-{int(rng.integers(1, 28)):02}"
    start = _clock(15 * int(rng.integers(32, 72)))
    return Job(f"Move the {e['title']} to {date} at {start}.", (call(move_event, event=key, date=date, start=start),),
               (call(search_events, words=e["title"]),), (), f"Move the {e['title']} to another day.",
               f"To {date}, starting at {start}.")  # fmt: skip


def _invite(rng, state):
    (key, e), name = _event(rng, state), one(rng, _job.PEOPLE)
    if state["contacts"][name] in e["guests"]:
        return None
    return Job(f"Invite {name} to the {e['title']}.", (call(invite_guest, event=key, address=state["contacts"][name]),),
               (call(search_events, words=e["title"]), call(find_contact, name=name)), (),
               f"Invite one of my friends to the {e['title']}.", f"{name}.")  # fmt: skip


def _cancel_first(rng, state):
    _, e = _event(rng, state)
    same = {k: v for k, v in state["events"].items() if v["date"] == e["date"]}
    first = min(same, key=lambda k: same[k]["start"])
    if sum(v["start"] == same[first]["start"] for v in same.values()) > 1:
        return None
    return Job(f"Cancel the first event of {e['date']}.", (call(cancel_event, event=first),),
               (call(list_events, date=e["date"]),))  # fmt: skip


def _add_after(rng, state):
    _, e = _event(rng, state)
    title, minutes = one(rng, ("follow-up", "coffee with the guests", "short walk")), 5 * int(rng.integers(2, 8))
    hour, minute = map(int, e["start"].split(":"))
    start = _clock((60 * hour + minute + e["minutes"]) % 1440)
    return Job(f"Add an event titled '{title}' of {minutes} minutes that starts as soon as the {e['title']} ends.",
               (call(add_event, title=title, date=e["date"], start=start, minutes=minutes),),
               (call(search_events, words=e["title"]),))  # fmt: skip


def _list_day(rng, state):
    _, e = _event(rng, state)
    return Job(f"Tell me what I have on {e['date']}.", see=(call(list_events, date=e["date"]),))


# Files: folders one level deep.


def list_folder(state, folder: str) -> list:
    """Files of a folder with their sizes in kilobytes and labels."""
    return [{"path": p, **f} for p, f in state["files"].items() if p.split("/")[0] == folder]


def find_files(state, words: str) -> list:
    """Paths of the files whose name holds the words."""
    return [p for p in state["files"] if words.lower() in p.split("/")[1].lower()]


def move_file(state, path: str, folder: str) -> str:
    """Move a file to a folder; returns its new path."""
    return _rename(state, path, f"{folder}/{path.split('/')[-1]}", keep=False)


def copy_file(state, path: str, folder: str) -> str:
    """Copy a file to a folder; returns the copy's path."""
    return _rename(state, path, f"{folder}/{path.split('/')[-1]}", keep=True)


def rename_file(state, path: str, name: str) -> str:
    """Give a file another name in its folder; returns its new path."""
    return _rename(state, path, f"{path.split('/')[0]}/{name}", keep=False)


def _rename(state, path: str, new: str, keep: bool) -> str:
    found = known(state["files"], path, "file")
    if new in state["files"]:
        raise ValueError(f"'{new}' is there already")
    state["files"][new] = dict(found)
    if not keep:
        del state["files"][path]
    return new


def delete_file(state, path: str) -> str:
    """Delete a file."""
    known(state["files"], path, "file")
    del state["files"][path]
    return "deleted"


def label_file(state, path: str, label: str) -> str:
    """Put a label on a file, in place of the one it has."""
    known(state["files"], path, "file")["label"] = label
    return "labelled"


_FOLDERS = ("reports", "photos", "letters", "plans", "music")
_NAMES = ("march", "harbour", "roof", "island", "winter", "bridge", "garden", "lantern", "market", "violin", "orchard",
          "storm")  # fmt: skip


def _files(rng) -> dict:
    names, sizes = some(rng, _NAMES, 9), some(rng, range(12, 900), 9)
    folders = some(rng, _FOLDERS, 3)
    return {"files": {f"{folders[k % 3]}/{name}.{one(rng, ('txt', 'pdf', 'csv'))}": {"kilobytes": size, "label": "none"}
                      for k, (name, size) in enumerate(zip(names, sizes, strict=True))}}  # fmt: skip


def _file(rng, state):
    path = one(rng, sorted(state["files"]))
    return path, path.split("/")[1].split(".")[0], path.split("/")[0]


def _move_file(rng, state):
    path, word, folder = _file(rng, state)
    to = one(rng, [f for f in _FOLDERS if f != folder])
    if _several(state, word):
        return None
    return Job(f"Move the file about '{word}' to the folder {to}.", (call(move_file, path=path, folder=to),),
               (call(find_files, words=word),), (), f"Move the file about '{word}' to another folder.",
               f"To the folder {to}.")  # fmt: skip


def _several(state, word: str) -> bool:
    return sum(word in p.split("/")[1] for p in state["files"]) > 1


def _rename_file(rng, state):
    path, word, _ = _file(rng, state)
    new = f"{one(rng, ('final', 'old', 'draft', 'signed'))}-{word}.{path.split('.')[-1]}"
    if _several(state, word) or "-" in path:
        return None
    return Job(f"Rename the file about '{word}' to {new}.", (call(rename_file, path=path, name=new),),
               (call(find_files, words=word),), (), f"Give the file about '{word}' another name.",
               f"Its new name is {new}.")  # fmt: skip


def _delete_largest(rng, state):
    _, _, folder = _file(rng, state)
    same = [p for p in state["files"] if p.split("/")[0] == folder]
    sizes = sorted(state["files"][p]["kilobytes"] for p in same)
    if len(same) < 2 or sizes[-1] == sizes[-2]:
        return None
    largest = max(same, key=lambda p: state["files"][p]["kilobytes"])
    return Job(f"Delete the largest file in the folder {folder}.", (call(delete_file, path=largest),),
               (call(list_folder, folder=folder),))  # fmt: skip


def _label_all(rng, state):
    _, _, folder = _file(rng, state)
    label = one(rng, ("urgent", "private", "reviewed", "shared"))
    paths = [p for p in state["files"] if p.split("/")[0] == folder]
    return Job(f"Label all files in the folder {folder} as {label}.",
               tuple(call(label_file, path=p, label=label) for p in paths), (call(list_folder, folder=folder),), (),
               f"Label all files in the folder {folder}.", f"The label is {label}.")  # fmt: skip


def _copy_file(rng, state):
    path, word, folder = _file(rng, state)
    to = one(rng, [f for f in _FOLDERS if f != folder])
    if _several(state, word):
        return None
    return Job(f"Keep a copy of the file about '{word}' in the folder {to}.", (call(copy_file, path=path, folder=to),),
               (call(find_files, words=word),))  # fmt: skip


DOMAINS = {
    "home": SimpleNamespace(
        start=_home, jobs=(_dim, _toggle, _all_off, _warmer, _lock),
        functions=(list_devices, switch_device, set_level, get_temperature, set_temperature, lock_door, list_doors),
    ),
    "calendar": SimpleNamespace(
        start=_calendar, jobs=(_move, _invite, _cancel_first, _add_after, _list_day),
        functions=(list_events, search_events, add_event, move_event, cancel_event, find_contact, invite_guest),
    ),
    "files": SimpleNamespace(
        start=_files, jobs=(_move_file, _rename_file, _delete_largest, _label_all, _copy_file),
        functions=(list_folder, find_files, move_file, copy_file, rename_file, delete_file, label_file),
    ),
}  # fmt: skip
