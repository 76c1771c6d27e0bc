"""Finding files and text in a tree, by the ignore rules of git, without running git.

wildcards:  a glob as a regular expression that cannot run away
ignore:     the lines of one ignore file
git_files:  which ignore files are in force at a directory
walk:       the files of a tree, in order, by directory handles
pattern:    what to look for in a line, and how dangerous that is
lines:      the matching lines of one file
search:     the matching lines of a tree
child:      the same in a process that can be killed
ripgrep:    which of many files may hold a text, told by ``rg``
report:     lines as the model reads them, within limits
"""
