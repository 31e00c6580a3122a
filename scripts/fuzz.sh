# shellcheck shell=bash
# Fuzzing: targets are tests of the server's crates, linked with libFuzzer and compiled with instruments for coverage.
# These flags need no nightly compiler; sanitizers would, and find little in code without `unsafe`.

readonly INSTRUMENTS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares"

# with_libfuzzer TARGET ARGUMENT…
with_libfuzzer() {
    local target=$1 host packages=() package
    shift
    host=$("${HOST_RUN[@]}" "$HOST_RUSTC" -vV | awk '/^host: /{ print $2 }')
    for package in -model -store -core -http ""; do
        packages+=(-p "password-auth$package")
    done
    mkdir -p "target/fuzz/$target/found" "target/fuzz/$target/seeds"
    # With a `--target`, the flags are not used for build scripts and macros.
    PASSWORD_AUTH_FUZZ="$*" RUSTFLAGS=$INSTRUMENTS host_cargo test --locked --profile fuzz --target "$host" --lib \
        "${packages[@]}" --features password-auth-testing/libfuzzer,password-auth/otel -- --nocapture "fuzz_$target"
}

# try_inputs TARGET SECONDS
try_inputs() {
    local folder=target/fuzz/$1
    say "Trying inputs on $1 for $2 s…"
    with_libfuzzer "$1" "-max_total_time=$2" -max_len=16384 -timeout=10 -print_final_stats=1 -dict=testing/words.dict \
        "-artifact_prefix=$folder/" "$folder/found" "testing/corpus/$1" "$folder/seeds" ||
        die "an input failed, or libFuzzer could not be built; what it said is above." \
            "An input that failed is in $folder."
    say "No input failed. ./build.sh fuzz --keep $1 adds what reached new code to testing/corpus/$1."
}

# keep_inputs TARGET: by code reached, not by how often, or most of what was found would be kept.
keep_inputs() {
    local folder=testing/corpus/$1 before
    before=$(find "$folder" -type f | wc -l)
    with_libfuzzer "$1" -set_cover_merge=1 -use_counters=0 "$folder" "target/fuzz/$1/found" "target/fuzz/$1/seeds"
    say "Added $(($(find "$folder" -type f | wc -l) - before)) inputs to $folder."
}
