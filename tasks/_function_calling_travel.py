"""The world of function-calling about journeys: flights, bookings, hotels. As in _function_calling_home.py."""

from __future__ import annotations

from types import SimpleNamespace

from harness.suites import beside

_job = beside(__file__, "_function_calling_job")
Job, call, known, one, some = _job.Job, _job.call, _job.known, _job.one, _job.some


def search_flights(state, origin: str, destination: str) -> list:
    """Flights between two cities: ids, departures (HH:MM), prices in euros."""
    return [{"id": k, **f} for k, f in state["flights"].items()
            if (f["origin"].lower(), f["destination"].lower()) == (origin.lower(), destination.lower())]  # fmt: skip


def book_flight(state, flight: str, passenger: str) -> str:
    """Book a flight for a passenger; returns the booking's id."""
    known(state["flights"], flight, "flight")
    key = f"B{500 + len(state['bookings'])}"
    state["bookings"][key] = {"flight": flight, "passenger": passenger, "bag_kg": 0, "seat": "any", "state": "booked"}
    return key


def list_bookings(state, passenger: str) -> list:
    """Bookings of a passenger with their ids."""
    return [{"id": k, **b} for k, b in state["bookings"].items() if b["passenger"].lower() == passenger.lower()]


def cancel_booking(state, booking: str) -> str:
    """Cancel a booking."""
    known(state["bookings"], booking, "booking")["state"] = "cancelled"
    return "cancelled"


def add_bag(state, booking: str, kilograms: int) -> str:
    """Add a bag of at most 32 kilograms to a booking, in place of the one it has."""
    if not 0 < kilograms <= 32:
        raise ValueError("a bag has 1 to 32 kilograms")
    known(state["bookings"], booking, "booking")["bag_kg"] = kilograms
    return "added"


def choose_seat(state, booking: str, seat: str) -> str:
    """Choose a seat such as 12C for a booking."""
    known(state["bookings"], booking, "booking")["seat"] = seat
    return "chosen"


def search_hotels(state, city: str) -> list:
    """Hotels of a city: ids and prices of a night in euros."""
    return [{"id": k, **h} for k, h in state["hotels"].items() if h["city"].lower() == city.lower()]


def book_hotel(state, hotel: str, guest: str, nights: int) -> str:
    """Book nights in a hotel for a guest."""
    known(state["hotels"], hotel, "hotel")["guests"][guest.lower()] = nights
    return "booked"


# fmt: off
def _travel(rng) -> dict:
    cities, people, numbers = some(rng, _job.CITIES, 4), some(rng, _job.PEOPLE, 4), iter(some(rng, range(100, 499), 30))
    pairs = [(cities[0], cities[1]), (cities[0], cities[2]), (cities[3], cities[1])]
    flights = {}
    for origin, destination in pairs:
        for price, start in zip(some(rng, range(60, 400), 3), some(rng, range(24, 88), 3), strict=True):
            flights[f"F{next(numbers)}"] = {"origin": origin, "destination": destination,
                                            "departs": f"{start // 4:02}:{start % 4 * 15:02}", "euros": price}
    bookings = {f"B{next(numbers)}": {"flight": one(rng, sorted(flights)), "passenger": p, "bag_kg": 0, "seat": "any",
                                      "state": "booked"} for p in people[:3]}
    hotels = {f"H{next(numbers)}": {"city": city, "euros_a_night": price, "guests": {}}
              for city in cities[:3] for price in some(rng, range(50, 260), 3)}
    return {"flights": flights, "bookings": bookings, "hotels": hotels}
# fmt: on


def _book(rng, state):
    _, f = one(rng, sorted(state["flights"].items()))
    key, what = one(rng, (("euros", "cheapest"), ("departs", "earliest")))
    same = {k: v for k, v in state["flights"].items()
            if (v["origin"], v["destination"]) == (f["origin"], f["destination"])}  # fmt: skip
    best, who = min(same, key=lambda k: same[k][key]), one(rng, _job.PEOPLE)
    return Job(f"Book the {what} flight from {f['origin']} to {f['destination']} for {who}.",
               (call(book_flight, flight=best, passenger=who),),
               (call(search_flights, origin=f["origin"], destination=f["destination"]),), (),
               f"Book the {what} flight from {f['origin']} to {f['destination']} for a friend of mine.",
               f"My friend is {who}.")  # fmt: skip


def _booking(rng, state):
    """A booking whose passenger has no other."""
    names = [b["passenger"] for b in state["bookings"].values()]
    alone = sorted((k, b) for k, b in state["bookings"].items()
                   if b["state"] == "booked" and names.count(b["passenger"]) == 1)  # fmt: skip
    return one(rng, alone) if alone else ("", {})


def _bag(rng, state):
    key, b = _booking(rng, state)
    if not key:
        return None
    weight = one(rng, [w for w in range(8, 32) if w != b["bag_kg"]])
    return Job(f"Add a bag of {weight} kilograms to {b['passenger']}'s booking.",
               (call(add_bag, booking=key, kilograms=weight),), (call(list_bookings, passenger=b["passenger"]),), (),
               f"Add a bag to {b['passenger']}'s booking.", f"Its weight is {weight} kilograms.")  # fmt: skip


def _seat(rng, state):
    key, b = _booking(rng, state)
    if not key:
        return None
    seat = f"{int(rng.integers(2, 30))}{one(rng, 'ABCDEF')}"
    whose = f"{b['passenger']}'s booking"
    return Job(f"Choose the seat {seat} in {whose}.", (call(choose_seat, booking=key, seat=seat),),
               (call(list_bookings, passenger=b["passenger"]),), (), f"Choose another seat in {whose}.",
               f"The seat {seat}.")  # fmt: skip


def _drop(rng, state):
    key, b = _booking(rng, state)
    if not key:
        return None
    return Job(f"Cancel the booking of {b['passenger']}.", (call(cancel_booking, booking=key),),
               (call(list_bookings, passenger=b["passenger"]),))  # fmt: skip


def _stay(rng, state):
    city, who = one(rng, sorted({h["city"] for h in state["hotels"].values()})), one(rng, _job.PEOPLE)
    nights = int(rng.integers(2, 9))
    same = {k: h for k, h in state["hotels"].items() if h["city"] == city}
    best = min(same, key=lambda k: same[k]["euros_a_night"])
    if state["hotels"][best]["guests"].get(who.lower()) == nights:
        return None
    return Job(f"Book {nights} nights in the cheapest hotel of {city} for {who}.",
               (call(book_hotel, hotel=best, guest=who, nights=nights),), (call(search_hotels, city=city),), (),
               f"Book some nights in the cheapest hotel of {city} for {who}.", f"{nights} nights.")  # fmt: skip


DOMAINS = {
    "travel": SimpleNamespace(
        start=_travel, jobs=(_book, _bag, _seat, _drop, _stay),
        functions=(search_flights, book_flight, list_bookings, cancel_booking, add_bag, choose_seat, search_hotels,
                   book_hotel),
    ),
}  # fmt: skip
