# SPDX-License-Identifier: MIT
"""Many pictures: which are made, under which names, and that each is what `stylize` would make."""

import html
import json
import os
import re
import shlex
import shutil
import subprocess
import unittest
from pathlib import Path

import png
from batch_harness import BatchTest
from harness import LIGHT, PROGRAM, environment, weights


class ItemsTest(BatchTest):
    def test_each_content_in_each_style_in_its_own_folder(self):
        self.picture("in/a.png", 1)
        self.picture("in/deep/er/b.png", 2)
        self.picture("in/.hidden/c.png", 3)
        with open(self.path("in/notes.txt"), "w", encoding="utf-8") as file:
            file.write("no picture")
        self.batch()
        self.assertEqual(sorted(self.outputs()), ["a_blue.png", "a_red.png", "deep/er/b_blue.png",
                                                  "deep/er/b_red.png"])
        self.assertEqual(sorted(self.records()), sorted(self.outputs()))

    def test_a_result_has_the_bytes_that_stylize_writes(self):
        self.pictures(3)
        self.batch(styles=("styles/blue.png",))
        for name, digest in self.outputs().items():
            content = f"in/{name[0]}.png"
            self.succeed("stylize", content, "styles/blue.png", "-o", "alone.png", "--weights", weights(),
                         *self.options)
            self.assertEqual(self.outputs(".")["alone.png"], digest, name)

    def test_a_network_keeps_its_own_pooling_as_in_stylize(self):
        blurred = os.path.join(os.path.dirname(weights()), "blurred.h5")
        options = ["--preset", "anishathalye", "--size", "32", "--iterations", "2", "--content-layers", "conv2_1",
                   "--style-layers", "conv1_1,conv2_1,conv3_1", "--weights", blurred]
        self.picture("in/a.png", 1)
        with open(self.path("rows.jsonl"), "w", encoding="utf-8") as file:
            file.write(json.dumps({"content": "in/a.png", "styles": ["styles/red.png"], "output": "row.png",
                                   "preset": "anishathalye"}))
        self.succeed("stylize", "in/a.png", "styles/red.png", "-o", "alone.png", *options)
        self.succeed("batch", "in/a.png", "--styles", "styles/red.png", "-o", "given", *options)
        self.succeed("batch", "--manifest", "rows.jsonl", "-o", "listed", *options[2:])
        alone = self.outputs(".")["alone.png"]
        self.assertEqual(self.outputs("given"), {"a_red.png": alone})
        self.assertEqual(self.outputs("listed"), {"row.png": alone})

    def test_pictures_that_pool_and_pad_in_turn_are_as_stylize_makes_them(self):
        """They share the network's parameters."""
        self.pictures(1)
        ways = (("avg", "zero"), ("max", "zero"), ("avg", "replicate"), ("max", "zero"))
        rows = [{"content": "in/0.png", "styles": ["styles/red.png"], "output": f"{number}.png", "pooling": pooling,
                 "padding": padding} for number, (pooling, padding) in enumerate(ways)]
        with open(self.path("rows.jsonl"), "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        options = ["--weights", weights(), *self.options]
        self.succeed("batch", "--manifest", "rows.jsonl", "-o", "listed", *options)
        for row in rows[:3]:
            self.succeed("stylize", "in/0.png", "styles/red.png", "-o", row["output"], "--pooling", row["pooling"],
                         "--padding", row["padding"], *options)
            self.assertEqual(self.outputs("listed")[row["output"]], self.outputs(".")[row["output"]], row)
        self.assertEqual(self.outputs("listed")["3.png"], self.outputs("listed")["1.png"])

    def test_the_bytes_do_not_depend_on_batch_size_or_threads(self):
        self.pictures(5)
        self.picture("in/tall.png", 7, width=20, height=32)
        self.batch("--batch-size", "1", output="one")
        for number, (size, threads) in enumerate((("2", "2"), ("4", "1"), ("8", "3"))):
            folder = f"many{number}"
            self.batch("--batch-size", size, output=folder,
                       options={"env": {"OMP_NUM_THREADS": threads}})
            self.assertEqual(self.outputs(folder), self.outputs("one"))
        sizes = [record["side_by_side"] for record in self.records(folder="many0/.impasto").values()]
        self.assertIn(2, sizes)

    def test_snapshots_and_sheets_are_those_of_stylize(self):
        self.pictures(2)
        more = ("--iterations", "4", "--save-every", "2")
        self.batch(*more, "--sheets", "--batch-size", "2", "--name", "{stem}.png", styles=("styles/red.png",))
        os.mkdir(self.path("alone"))
        for i in range(2):
            self.succeed("stylize", f"in/{i}.png", "styles/red.png", "-o", f"alone/{i}.png", "--weights", weights(),
                         *self.without("--iterations"), *more, "--sheet", f"alone/{i}_sheet.png")
        self.assertEqual(sorted(self.outputs()), ["0.png", "0_0002.png", "0_sheet.png", "1.png", "1_0002.png",
                                                  "1_sheet.png"])
        self.assertEqual(self.outputs(), self.outputs("alone"))

    def test_reports_and_films_are_those_of_stylize(self):
        self.pictures(2)
        with open(self.path("rows.jsonl"), "w", encoding="utf-8") as file:
            for name, more in (("0", {}), ("1", {"tv-weight": 3, "style-weights": "1,2"})):
                file.write(json.dumps({"content": f"in/{name}.png", "styles": ["styles/red.png", "styles/blue.png"],
                                       "output": f"{name}.png", **more}) + "\n")
        self.batch("--manifest", "rows.jsonl", "--batch-size", "2", "--reports", "--films", contents=(), styles=())
        made = self.outputs()
        self.assertEqual(sorted(made), ["0.png", "0_film.webp", "0_report.html", "1.png", "1_film.webp", "1_report.html"])
        for name in "01":
            page = Path(self.path(f"out/{name}_report.html")).read_text(encoding="utf-8")
            self.assertIn("loss and its weighted parts", page)
            self.assertIn(made[f"{name}.png"], page)
            command = shlex.split(html.unescape(re.search("<pre>(.*)</pre>", page)[1]))
            self.assertEqual(command[:2], ["impasto", "stylize"])
            os.remove(self.path(f"out/{name}.png"))
            self.succeed(*command[1:], "--film", "alone.webp")
            self.assertEqual(self.outputs()[f"{name}.png"], made[f"{name}.png"])
            self.assertEqual(self.outputs(".")["alone.webp"], made[f"{name}_film.webp"])
        self.batch("--reports", "--bucket", "16", output="rounded", styles=("styles/red.png",))
        self.assertIn("# but for sides rounded as by batch --bucket 16",
                      Path(self.path("rounded/0_red_report.html")).read_text(encoding="utf-8"))

    def test_no_sheet_or_snapshot_takes_the_place_of_another_file(self):
        for name in ("a", "a_sheet", "b", "b_0001"):
            self.picture(f"in/{name}.png", 1)
        for more, clash in ((("--sheets",), "a_sheet.png"), (("--save-every", "1"), "b_0001.png")):
            self.batch_fails(2, *more, "--name", "{stem}.png", styles=("styles/red.png",), says=["two", clash])
        self.picture("out/a_red_sheet.png", 2)
        more = ("--sheets", "--save-every", "1")
        self.batch_fails(2, *more, contents=("in/a.png",), says="a_red_sheet.png")
        self.batch_fails(2, *more, "--if-exists", "overwrite", contents=("in/a.png", "out/a_red_sheet.png"),
                         says="is an input")
        os.remove(self.path("out/a_red_sheet.png"))
        self.batch(*more, contents=("in/a.png",), styles=("styles/red.png",))
        whole = self.outputs()
        self.assertEqual(sorted(whole), ["a_red.png", "a_red_0001.png", "a_red_sheet.png"])
        shutil.rmtree(self.path("out/.impasto/done"))
        for name in whole:
            os.remove(self.path(f"out/{name}"))
        self.succeed("resume", "out")
        self.assertEqual(self.outputs(), whole)

    def check_rows(self, rows, *styles):
        """A batch of one picture in rows of options makes the bytes that the options make alone."""
        self.pictures(1)
        with open(self.path("m.jsonl"), "w", encoding="utf-8") as file:
            for n, options in enumerate(rows):
                file.write(json.dumps({"content": "in/0.png", "styles": styles, "output": f"{n}.png", **options}) + "\n")
        self.batch("--manifest", "m.jsonl", contents=(), styles=())
        os.mkdir(self.path("alone"))
        for n, options in enumerate(rows):
            words = [word for name, value in options.items() for word in ("--" + name, str(value))]
            self.succeed("stylize", "in/0.png", *styles, "-o", f"alone/{n}.png", "--weights", weights(),
                         *self.without(*words), *words)
        self.assertEqual(self.outputs(), self.outputs("alone"))

    def test_rows_that_need_other_layers_and_pooling(self):
        self.check_rows([{}, {"content-layers": "conv3_1"}, {"pooling": "max"}, {}, {"size": 24}], "styles/red.png")

    def test_rows_take_every_control_of_a_picture(self):
        rows = [{}, {"style-weights": "0.7,0.3"}, {"statistics-weight": 3, "statistics-layers": "conv1_1"},
                {"content-relu": "before", "style-relu": "before"}, {"tv-form": "power", "tv-power": 1.5},
                {"optimizer": "descent", "rate-decay": 0.9, "rate-decay-steps": 2},
                {"optimizer": "lbfgs", "lbfgs-history": 3, "box": "step"},
                {"init": "mix", "noise-ratio": 0.3, "noise-amplitude": 9},
                {"colors": "luminance"}, {"colors": "histogram"}, {"colors": "linear"}, {"depth": 16}]
        self.check_rows(rows, "styles/red.png", "styles/blue.png")
        self.assertEqual(len(set(self.outputs().values())), len(rows))

    def test_rows_with_masks(self):
        self.pictures(1)
        for name, shown in (("left", lambda x: x < 16), ("right", lambda x: x >= 16)):
            png.write(self.path(f"styles/{name}.png"), 32, 24, lambda x, y: [255 * shown(x)] * 3)
        styles = ("styles/red.png", "styles/blue.png")
        masks = ("styles/left.png", "styles/right.png")
        rows = [{"content": "in/0.png", "styles": styles, "output": f"{n}.png", **options} for n, options in
                enumerate(({"mask": masks}, {"mask": masks[::-1]}, {}, {"mask": masks, "style-mask": masks}))]
        with open(self.path("m.jsonl"), "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        self.batch("--manifest", "m.jsonl", "--batch-size", "2", contents=(), styles=())
        os.mkdir(self.path("alone"))
        for n, row in enumerate(rows):
            words = [word for name in ("mask", "style-mask") if name in row for word in ("--" + name, *row[name])]
            self.succeed("stylize", "in/0.png", *styles, "-o", f"alone/{n}.png", "--weights", weights(),
                         *self.without(), *words)
        self.assertEqual(self.outputs(), self.outputs("alone"))
        self.assertEqual(len(set(self.outputs().values())), len(rows))
        # The same in CSV.
        with open(self.path("m.csv"), "w", encoding="utf-8") as file:
            file.write("content,styles,mask,output\n" + ",".join(["in/0.png", ";".join(styles), ";".join(masks), "0.png"]))
        self.batch("--manifest", "m.csv", contents=(), styles=(), output="csv")
        self.assertEqual(self.outputs("csv")["0.png"], self.outputs()["0.png"])
        self.batch_fails(2, "--mask", *masks, styles=styles, output="other", says=["--mask", "expected 1", "found 2"])
        with open(self.path("m.jsonl"), "w", encoding="utf-8") as file:
            file.write(json.dumps({"content": "in/0.png", "styles": styles, "style-mask": masks}))
        self.batch_fails(2, "--manifest", "m.jsonl", contents=(), styles=(), output="other", says="requires --mask")
        self.assertFalse(os.path.exists(self.path("other")))

    def test_masks_and_initial_pictures_have_the_shape_of_the_file_and_not_of_its_bucket(self):
        self.pictures(1)
        self.batch("--bucket", "32", "--mask", "in/0.png", "--init", "in/0.png", styles=("styles/red.png",))
        self.assertEqual(png.Picture(self.path("out/0_red.png")).height, 32)

    def test_names(self):
        self.picture("in/a.png", 1)
        self.picture("in/deep/b.jpeg.png", 2)
        self.batch("--name", "{style}/x-{stem}.{ext}", styles=("styles/red.png",))
        self.assertEqual(sorted(self.outputs()), ["deep/red/x-b.jpeg.png", "red/x-a.png"])
        for name, says in (("{nothing}.png", "{stem}, {style}, {id} and {ext}"), ("{stem}.gif", ".gif"),
                           ("../{stem}.png", "inside the output folder"),
                           ("/tmp/{stem}.png", "inside the output folder")):
            self.batch_fails(2, "--name", name, output="other", says=says)
        self.assertFalse(os.path.exists(self.path("other")))

    def test_two_results_of_one_name_are_refused_before_the_start(self):
        self.picture("in/a.png", 1)
        self.picture("in/deep/a.png", 2)
        os.mkdir(self.path("flat"))
        self.picture("flat/a.png", 3)
        self.batch_fails(2, contents=("in", "flat"), says=["two results would be 'a_blue.png'", "flat/a.png"])
        self.assertFalse(os.path.exists(self.path("out")))

    def test_patterns_samples_and_what_is_not_there(self):
        self.pictures(2)
        self.batch("--size", "32", contents=("in/*.png", "sample:scene"), styles=("styles/b*",))
        self.assertEqual(sorted(self.outputs()), ["0_blue.png", "1_blue.png", "scene_blue.png"])
        self.batch_fails(3, contents=("in/*.jpg",), output="none-such", says="in/*.jpg")
        self.batch_fails(3, contents=("nothing.png",), output="none-such", says="nothing.png")
        os.mkdir(self.path("empty"))
        self.batch_fails(3, contents=("empty",), output="none-such", says="no picture is in")
        self.batch_fails(2, contents=(), output="none-such", says="needs a content")
        self.assertFalse(os.path.exists(self.path("none-such")))

    def test_an_output_folder_inside_the_contents_is_no_content(self):
        self.pictures(2)
        for _ in range(2):
            self.batch(output="in/out")
        self.assertEqual(len(self.outputs("in/out")), 4)

    def test_results_beside_the_pictures_are_refused_where_they_would_be_found_again(self):
        self.pictures(2)
        self.picture("in/sub/2.png")
        says = ["the results go to the same folder", "expected another folder"]
        for more in ({"contents": ("in",)}, {"contents": ("in/*.png",)}, {"contents": ("in/../in",)},
                     {"contents": ("sample:scene",), "styles": ("in",)},
                     {"contents": ("sample:scene",), "styles": ("in/[01].png",)}):
            self.batch_fails(2, "--name", "{stem}_{style}_2.png", output="in", says=says, **more)
        self.assertEqual(sorted(self.outputs("in")), ["0.png", "1.png", "sub/2.png"])
        # A folder in it is left out, of styles too, and so the same command again makes nothing new.
        for more in ({"contents": ("in",)}, {"contents": ("sample:scene",), "styles": ("in",)}):
            output = f"in/made_{len(more)}"
            self.batch(output=output, **more)
            made = self.outputs(output)
            self.batch(output=output, **more)
            self.assertEqual(self.outputs(output), made)
            shutil.rmtree(self.path(output))
        # Nor are pictures by their own names, or in a folder below that of the results.
        self.batch(contents=("in/0.png",), output="in")
        self.batch(contents=("in/sub/*.png",), output="in", styles=("styles/red.png",),
                   *("--name", "sub_{stem}.png", "--run", "other"))

    def test_size_0_keeps_the_size_and_bucket_rounds_it(self):
        self.picture("in/a.png", 1, width=37, height=22)
        self.batch("--size", "0", output="own")
        made = png.Picture(self.path("own/a_red.png"))
        self.assertEqual((made.width, made.height), (37, 22))
        self.batch("--size", "0", "--bucket", "8", output="rounded")
        made = png.Picture(self.path("rounded/a_red.png"))
        self.assertEqual((made.width, made.height), (40, 24))


class DrawTest(BatchTest):
    def drawn(self, folder, *more, **pictures):
        self.batch("--styles-per-image", "2", *more, output=folder, **pictures)
        return sorted(self.outputs(folder))

    def test_styles_are_drawn_by_seed_and_name_not_by_order(self):
        for i in range(5):
            self.picture(f"styles/s{i}.png", 80 + i)
        self.pictures(4)
        os.mkdir(self.path("other"))
        first = self.drawn("first")
        self.assertEqual(len(first), 8)
        self.assertGreater(len({name.split("_")[1] for name in first}), 2)
        self.assertNotEqual(first, self.drawn("seed", "--seed", "1"))
        reordered = self.drawn("reordered", contents=("in/3.png", "in/1.png"))
        self.assertEqual(reordered, [name for name in first if name[0] in "13"])
        self.batch_fails(2, "--styles-per-image", "9", output="none-such", says="there are 7 styles")


class ListsTest(BatchTest):
    def test_a_list_on_standard_input_with_any_names(self):
        names = [b"plain.png", b"two\nlines.png", b"not-\xff-utf8.png"]
        for i, name in enumerate(names):
            png.write(os.path.join(self.folder.encode(), name), 32, 24, lambda x, y, i=i: (x, y, i))
        result = subprocess.run([PROGRAM, *self.arguments("--list", "-", contents=(), styles=("styles/red.png",))],
                                cwd=self.folder, env=environment(), input=b"\0".join(names) + b"\0",
                                capture_output=True, timeout=120)
        self.assertEqual(result.returncode, 0, result.stderr)
        made = sorted(os.listdir(self.path("out").encode()))
        self.assertEqual(made, [b".impasto", b"not-\xff-utf8_red.png", b"plain_red.png", b"two\nlines_red.png"])
        self.assertEqual(self.succeed("resume", "out").returncode, 0)

    def test_a_list_of_lines(self):
        self.pictures(3)
        with open(self.path("list.txt"), "w", encoding="utf-8") as file:
            file.write("in/2.png\n\nin/0.png")
        self.batch("--list", "list.txt", contents=(), styles=("styles/red.png",))
        self.assertEqual(sorted(self.outputs()), ["0_red.png", "2_red.png"])

    def manifest(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def test_a_manifest_of_json_lines(self):
        self.pictures(2)
        rows = [{"content": "in/0.png", "id": "first"},
                {"content": "in/1.png", "styles": ["styles/blue.png", "styles/red.png"],
                 "output": "both/of them.jpg", "style_weight": 3, "iterations": 3}]
        self.manifest("m.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        self.batch("--manifest", "m.jsonl", contents=(), styles=("styles/red.png",))
        self.assertEqual(sorted(self.outputs()), ["0_red.png", "both/of them.jpg"])
        self.assertEqual(self.records()["both/of them.jpg"]["iterations"], 3)
        self.succeed("stylize", "in/1.png", "styles/blue.png", "styles/red.png", "-o", "alone.jpg", *LIGHT,
                     "--weights", weights(), "--size", "32", "--learning-rate", "0.5", "--style-weight", "3",
                     "--iterations", "3")
        self.assertEqual(self.outputs(".")["alone.jpg"], self.outputs()["both/of them.jpg"])
        self.batch("--manifest", "m.jsonl", "--name", "{id}.png", contents=(), styles=("styles/red.png",),
                   output="named")
        self.assertIn("first.png", self.outputs("named"))

    def test_a_manifest_of_csv(self):
        self.pictures(2)
        self.manifest("m.csv", 'content,styles,output,style-weight\r\n'
                               'in/0.png,styles/blue.png;styles/red.png,"a ""quoted"", name.png",2\r\n'
                               'in/1.png,styles/red.png,,\r\n')
        self.batch("--manifest", "m.csv", contents=(), styles=())
        self.assertEqual(sorted(self.outputs()), ["1_red.png", 'a "quoted", name.png'])

    def test_a_manifest_is_checked_whole_before_the_first_picture(self):
        self.pictures(1)
        good = '{"content": "in/0.png", "styles": "styles/red.png"}\n'
        for code, row, says in ((3, "{", "line 2"), (3, '["in/0.png"]', "line 2"), (3, "{}", "'content'"),
                                (2, '{"content": "in/0.png", "styles": "styles/blue.png", "iterations": -1}',
                                 "--iterations"),
                                (2, '{"content": "in/0.png", "styles": "styles/blue.png", "weights": "w.h5"}',
                                 "'weights'"),
                                (2, '{"content": "in/0.png", "styles": "styles/blue.png", "itrations": 3}',
                                 "'itrations'"),
                                (2, '{"content": "in/0.png", "styles": "styles/blue.png", "style-weights": "1,2"}',
                                 "--style-weights: expected 1"),
                                (2, '{"content": "in/0.png", "styles": "styles/blue.png", "depth": 16, '
                                    '"output": "a.jpg"}', "--depth 16"),
                                (3, '{"content": "in/0.png", "styles": "styles/blue.png", "style-layers": []}',
                                 "'style-layers' is an empty list"),
                                (3, '{"content": "in/0.png\\u0000", "styles": "styles/blue.png"}', "NUL"),
                                (3, '{"content": "in/0.png", "styles": "styles/blue.png", "content": "in/1.png"}',
                                 ["line 2", "'content'", "twice"]),
                                (3, '{"content": "in/0.png", "styles": "a.png", "style": "styles/blue.png"}',
                                 ["line 2", "'style'", "twice"]),
                                (3, '{"content": "in/0.png", "style-weight": 1, "size": 9, "style_weight": 2}',
                                 ["line 2", "'style_weight'", "twice"]),
                                (3, '{"content": "in/0.png", "styles": "styles/blue.png", "init": "none.png"}',
                                 ["none.png", "--init"]),
                                (2, good.strip(), "two results")):
            self.manifest("m.jsonl", good + row + "\n")
            self.batch_fails(code, "--manifest", "m.jsonl", contents=(), styles=(), says=says)
        for text, says in (("content,styles\nin/0.png\n", "expected 2 fields"),
                           ("content,styles,content\nin/0.png,styles/red.png,in/1.png\n", "two columns 'content'"),
                           ("content,style-weight,style_weight\nin/0.png,1,2\n", "two columns 'style_weight'"),
                           ('content,styles\nin/0.png,"styles\n', "does not end")):
            self.manifest("m.csv", text)
            self.batch_fails(3, "--manifest", "m.csv", contents=(), styles=(), says=says)
        self.assertFalse(os.path.exists(self.path("out")))

    def test_the_file_to_start_from_is_there_before_the_first_picture(self):
        self.pictures(2)
        self.batch_fails(3, "--init", "none.png", says=["none.png", "--init", "No such file"])
        with open(self.path("text.png"), "w", encoding="ascii") as file:
            file.write("no picture")
        self.batch_fails(3, "--init", "text.png", says=["text.png", "--init takes"])
        self.assertFalse(os.path.exists(self.path("out")))
        self.picture("start.png", 5)
        self.batch("--init", "start.png")
        self.batch("--init", "start.png", output="again")
        shutil.rmtree(self.path("again/.impasto/done"))
        os.rename(self.path("start.png"), self.path("elsewhere.png"))
        self.fail_with(3, "resume", "again", says=["start.png", "--init"])
        self.assertEqual(self.records("failed", "again/.impasto"), {})
        os.rename(self.path("elsewhere.png"), self.path("start.png"))
        self.succeed("resume", "again")
        self.assertEqual(self.outputs("again"), self.outputs())

    def test_files_in_a_row_are_found_beside_the_manifest(self):
        self.pictures(1)
        self.picture("in/start.png", 5)
        self.manifest("in/m.jsonl", json.dumps({"content": "0.png", "output": "a.png", "init": "start.png"}))
        self.batch("--manifest", "in/m.jsonl", contents=(), styles=("styles/red.png",))
        self.succeed("stylize", "in/0.png", "styles/red.png", "-o", "alone.png", "--weights", weights(),
                     "--init", "in/start.png", *self.options)
        self.assertEqual(self.outputs(".")["alone.png"], self.outputs()["a.png"])

    @unittest.skipIf(os.environ.get("TEST_SANITIZE"), "a sanitizer keeps what was freed")
    def test_memory_does_not_grow_with_the_number_of_items(self):
        few, many = self.peak_of(1000), self.peak_of(100_000)
        # 8 bytes an item, and what the allocator keeps.
        self.assertLess(many - few, 8 << 10, f"{few} KiB for 1000 items, {many} KiB for 100000")

    @unittest.skipIf(os.environ.get("TEST_SANITIZE"), "a sanitizer keeps what was freed")
    def test_threads_share_the_network(self):
        self.pictures(8)
        deep = ("--content-layers", "conv3_4", "--style-layers", "conv3_4")
        peaks = []
        for threads in ("1", "8"):
            os.environ["OMP_NUM_THREADS"] = threads
            self.addCleanup(os.environ.pop, "OMP_NUM_THREADS", None)
            peaks.append(self.peak(self.arguments(*deep, styles=("styles/red.png",), output=threads), 0))
        # A copy for each would be 18 MiB each; 22 MiB were seen, of threads and feature maps.
        self.assertLess(peaks[1] - peaks[0], 60 << 10, peaks)

    def peak_of(self, count):
        """KiB that a batch of so many missing pictures takes at most."""
        with open(self.path("list.txt"), "w", encoding="utf-8") as file:
            for i in range(count):
                file.write(f"{self.folder}/missing/some-long-name-of-a-picture-{i}.png\n")
        arguments = self.arguments("--list", "list.txt", "-q", contents=(), styles=("styles/red.png",),
                                   output="none")
        return self.peak(arguments, 3)


class SaidTest(BatchTest):
    def test_json_log_and_metrics(self):
        self.pictures(2)
        with open(self.path("in/bad.png"), "wb") as file:
            file.write(b"nothing")
        result = self.run_program(*self.arguments("--json", "--log", "log.jsonl", "--metrics", "m.prom",
                                                  styles=("styles/red.png",)))
        self.assertEqual(result.returncode, 3)
        said = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual(sorted(line["event"] for line in said), ["done", "done", "end", "failed"])
        failed = next(line for line in said if line["event"] == "failed")
        self.assertIn("bad.png", failed["reason"])
        self.assertEqual({key: said[-1][key] for key in ("ending", "total", "done", "failed", "missing")},
                         {"ending": "finished", "total": 3, "done": 2, "failed": 1, "missing": 0})
        with open(self.path("log.jsonl"), encoding="utf-8") as file:
            log = [json.loads(line) for line in file]
        self.assertEqual((log[0]["event"], log[1:]), ("start", said))
        with open(self.path("m.prom"), encoding="utf-8") as file:
            metrics = file.read()
        self.assertIn('impasto_batch_items{state="done"} 2\n', metrics)
        self.assertIn('impasto_batch_items{state="failed"} 1\n', metrics)
        self.assertRegex(metrics, r"(?m)^impasto_batch_images_per_second [0-9.e+-]+$")

    def test_how_busy_each_device_is(self):
        self.pictures(4)
        result = self.run_program(*self.arguments("--iterations", "60", "--devices", "cpu,simt:1", "--json", "--metrics",
                                                  "m.prom", "--batch-size", "1", styles=("styles/red.png",)))
        self.assertEqual(result.returncode, 0, result.stderr)
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        elapsed = [line["elapsed"] for line in lines[:-1]] + [lines[-1]["seconds"]]
        self.assertEqual([0, *elapsed], sorted({0, *elapsed}))
        for line in lines:
            self.assertEqual([use["device"] for use in line["devices"]], ["cpu", "simt:1"])
            self.assertTrue(all(0 <= use["busy"] <= 1 for use in line["devices"]))
        ended = lines[-1]
        self.assertTrue(all(use["busy"] > 0 for use in ended["devices"]), ended)
        self.assertRegex(result.stderr, r"(?m)^cpu \d+%  simt:1 \d+% busy$")
        with open(self.path("m.prom"), encoding="utf-8") as file:
            metrics = file.read()
        kept = re.search(r'(?m)^impasto_batch_device_busy_seconds_total{worker="0",device="cpu"} ([0-9.e+-]+)$', metrics)
        self.assertAlmostEqual(float(kept[1]) / ended["seconds"], ended["devices"][0]["busy"], places=3)
        self.assertIn('busy_seconds_total{worker="1",device="simt:1"} ', metrics)

    def test_many_devices_fit_into_80_columns(self):
        self.pictures(2)
        result = self.batch("--devices", ",".join(["cpu"] * 14))
        self.assertRegex(result.stderr, r"(?m)^14 devices \d+-\d+% busy$")
        self.assertRegex(result.stderr, r"(?m)^\d/4 .*  14 devices \d+-\d+%$")
        for line in result.stderr.splitlines():
            self.assertLessEqual(len(line), 80, line)

    def test_dry_run_writes_nothing(self):
        self.pictures(3)
        plan = json.loads(self.batch("--dry-run", "--json").stdout)
        self.assertEqual(plan["items"], 6)
        self.assertGreater(plan["first"]["memory"]["total_bytes"], 0)
        self.assertGreater(plan["seconds"], 0)
        self.assertIn("6", self.batch("--dry-run").stdout)
        self.assertEqual(self.files(), ["in", "styles"])

    def test_output_none_writes_nothing(self):
        self.pictures(2)
        said = self.batch("--json", output="none").stdout.splitlines()
        self.assertEqual(json.loads(said[-1])["done"], 4)
        self.assertEqual(self.files(), ["in", "styles"])

    def test_stylize_says_that_batch_is_what_was_meant(self):
        self.pictures(2)
        os.mkdir(self.path("out"))
        self.fail_with(2, "stylize", "in/0.png", "in/1.png", "styles/red.png", "-o", "out",
                       says="impasto batch")
        result = self.succeed("stylize", "in/0.png", "in/1.png", "styles/red.png", "-o", "one.png",
                              "--weights", weights(), *self.options)
        self.assertIn("2 styles were averaged", result.stderr)
        self.assertIn("impasto batch", result.stderr)


if __name__ == "__main__":
    unittest.main()
