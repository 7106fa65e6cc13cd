# python.sh - sourced by the peers in Python: finds $python, or says why there is none.
python=${PEER_PYTHON:-python3}
if ! command -v "$python" >/dev/null; then
    echo '{"missing":"there is no Python '"$python"'"}'
    exit 1
fi
