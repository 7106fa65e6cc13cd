# Every public header compiles alone, and twice, as C11 and as C++11: headers.sh CC
set -eu
n=0
for header in include/grasp/*.h; do
    "$1" -std=c11 -Iinclude -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c - <<END
#include "grasp/$(basename "$header")"
#include "grasp/$(basename "$header")"
typedef int not_empty;
END
    "$1" -std=c++11 -Iinclude -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c++ - <<END
extern "C" {
#include "grasp/$(basename "$header")"
}
END
    n=$((n + 1))
done
echo "$n headers"
[ "$n" -gt 0 ]
