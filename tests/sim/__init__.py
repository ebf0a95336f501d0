"""A simulator: seeded histories of SQL on several connections, stepped by one thread, checked against a model in Python.

``plan`` makes a history from a seed, ``model`` says what each statement may do, ``run`` plays the history on a database and
compares, ``shrink`` makes a failing history short. ``python -m tests.sim --help`` replays seeds.
"""
