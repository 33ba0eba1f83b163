"""The syntax of HEVC and BPG bytes. VVC files use its `byte_reader`, too."""
