# An installed copy serves: a program built with pkg-config against the shared and the static library, the command, and the
# library loaded by its name. prefix.sh BUILD_DIR CC
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cmake --install "$1" --prefix "$dir/first" >/dev/null
mv "$dir/first" "$dir/usr" # nothing in it may remember where it was put

pc=$(find "$dir/usr" -name grasp.pc)
PKG_CONFIG_PATH=$(dirname "$pc")
LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH")
export PKG_CONFIG_PATH LD_LIBRARY_PATH
version=$(pkg-config --modversion grasp)
flags="-std=c11 -Wall -Wextra -Werror"

[ "$("$dir/usr/bin/grasp" --version)" = "grasp $version" ]
[ -f "$dir/usr/share/doc/grasp/LICENSE" ]
"$dir/usr/bin/grasp" help --man | cmp - "$dir/usr/share/man/man1/grasp.1"
"$dir/usr/bin/grasp" completion bash | cmp - "$dir/usr/share/bash-completion/completions/grasp"
"$dir/usr/bin/grasp" completion zsh | cmp - "$dir/usr/share/zsh/site-functions/_grasp"
"$dir/usr/bin/grasp" completion fish | cmp - "$dir/usr/share/fish/vendor_completions.d/grasp.fish"

$2 $flags tests/install/consumer.c -o "$dir/shared" $(pkg-config --cflags --libs grasp)
"$dir/shared"
$2 $flags tests/install/consumer.c -o "$dir/static" $(pkg-config --cflags grasp) "$LD_LIBRARY_PATH/libgrasp.a" \
    $(pkg-config --static --libs grasp | sed 's/ -lgrasp / /')
LD_LIBRARY_PATH="" "$dir/static"

$2 $flags tests/install/load_by_name.c -o "$dir/load" $(pkg-config --cflags grasp) -ldl
"$dir/load" "libgrasp.so.${version%%.*}"
