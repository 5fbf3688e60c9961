// The world that evmone runs in: accounts and slots in open-addressed tables, an undo log, and
// nothing that a client would not need as well. After the first run of a case it allocates nothing.
#pragma once

#include <evmone/advanced_analysis.hpp>
#include <evmone/advanced_execution.hpp>
#include <evmone/baseline.hpp>
#include <evmone/vm.hpp>
#include <evmone_precompiles/keccak.hpp>
#include <evmone_precompiles/sha256.hpp>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace needletail
{
using evmc::address;
using evmc::bytes32;
using Bytes = std::basic_string<uint8_t>;

/// A way of running code that evmone offers.
enum class Mode
{
    baseline,  ///< Byte code by computed goto, or by a switch as the VM's option says.
    advanced,  ///< Translated code.
    evmc,      ///< Through EVMC's `execute`: with an analysis of the code in each call.
};

struct Account
{
    address key;
    bool in_use = false;
    bool exists = false, original_exists = false;
    bool warm = false, warm_at_start = false;
    bool touched = false;
    evmc::uint256be balance, original_balance;
    uint64_t nonce = 0, original_nonce = 0;
    /// From the case, and so there to stay.
    bool has_original_code = false;
    Bytes code;
    bytes32 code_hash;
    std::unique_ptr<evmone::baseline::CodeAnalysis> baseline;
    std::unique_ptr<evmone::advanced::AdvancedCodeAnalysis> advanced;
};

struct Slot
{
    address account;
    bytes32 key;
    bool in_use = false;
    bool transient = false;
    bool warm = false;
    bool touched = false;
    bytes32 original, current;
};

/// Open-addressed, linear probing, at most half full. Entries never move but when it grows, which
/// happens in a case's first run only.
template <typename Entry>
class Table
{
    std::vector<Entry> entries{std::vector<Entry>(1024)};
    size_t count = 0;

public:
    template <typename Matches>
    size_t find(uint64_t hash, Matches matches) const
    {
        auto position = hash & (entries.size() - 1);
        while (entries[position].in_use && !matches(entries[position]))
            position = (position + 1) & (entries.size() - 1);
        return position;
    }
    Entry& operator[](size_t position) { return entries[position]; }
    bool insert() { return ++count * 2 > entries.size(); }
    template <typename Hash>
    void grow(Hash hash)
    {
        std::vector<Entry> old(entries.size() * 2);
        std::swap(old, entries);
        for (auto& entry : old)
            if (entry.in_use)
                entries[find(hash(entry), [](const Entry&) { return false; })] = std::move(entry);
    }
    auto begin() { return entries.begin(); }
    auto end() { return entries.end(); }
};

class Host
{
    struct Undo
    {
        enum Kind : uint8_t { balance, nonce, code, account_warm, slot_value, slot_warm } kind;
        address account;
        bytes32 key;
        bytes32 value;
        bool transient;
    };
    struct Log
    {
        address account;
        size_t topics, offset, size;
    };

    Table<Account> accounts;
    Table<Slot> slots;
    std::vector<Undo> undo;
    std::vector<Log> logs;
    Bytes log_data;
    std::vector<address> touched_accounts;
    struct SlotName { address account; bytes32 key; bool transient; };
    std::vector<SlotName> touched_slots;
    std::vector<std::unique_ptr<evmone::advanced::AdvancedExecutionState>> states;

public:
    evmone::VM* vm = nullptr;
    Mode mode = Mode::baseline;
    evmc_revision revision = EVMC_OSAKA;
    evmc_tx_context transaction{};
    /// What the case asked for that this host has not: its times mean nothing then.
    std::string unsupported;

    static const evmc_host_interface interface;
    evmc_host_context* context() { return reinterpret_cast<evmc_host_context*>(this); }
    static Host& from(evmc_host_context* context) { return *reinterpret_cast<Host*>(context); }

    static uint64_t mix(uint64_t value)
    {
        value = (value ^ (value >> 32)) * 0x9e3779b97f4a7c15;
        return value ^ (value >> 29);
    }
    static uint64_t word(const uint8_t* bytes)
    {
        uint64_t value;
        std::memcpy(&value, bytes, 8);
        return value;
    }
    static uint64_t hash(const address& a) { return mix(word(a.bytes + 12) ^ word(a.bytes)); }
    static uint64_t hash(const address& a, const bytes32& k)
    {
        return mix(word(k.bytes + 24) + 31 * word(k.bytes + 8) + (word(a.bytes + 12) << 1));
    }

    Account& account(const address& key)
    {
        const auto matches = [&](const Account& a) { return a.key == key; };
        auto position = accounts.find(hash(key), matches);
        if (!accounts[position].in_use)
        {
            accounts[position].in_use = true;
            accounts[position].key = key;
            if (accounts.insert())
            {
                accounts.grow([](const Account& a) { return hash(a.key); });
                position = accounts.find(hash(key), matches);
            }
        }
        return accounts[position];
    }

    Slot& slot(const address& owner, const bytes32& key, bool transient)
    {
        const auto code = hash(owner, key) + transient;
        const auto matches = [&](const Slot& s) {
            return s.key == key && s.account == owner && s.transient == transient;
        };
        auto position = slots.find(code, matches);
        if (!slots[position].in_use)
        {
            slots[position].in_use = true;
            slots[position].account = owner;
            slots[position].key = key;
            slots[position].transient = transient;
            if (slots.insert())
            {
                slots.grow([](const Slot& s) { return hash(s.account, s.key) + s.transient; });
                position = slots.find(code, matches);
            }
        }
        return slots[position];
    }

    void touch(Account& a)
    {
        if (a.touched)
            return;
        a.touched = true;
        touched_accounts.push_back(a.key);
    }

    void touch(Slot& s)
    {
        if (s.touched)
            return;
        s.touched = true;
        touched_slots.push_back({s.account, s.key, s.transient});
    }

    /// Analyses code as the mode needs it.
    void analyse(Account& a)
    {
        const evmone::bytes_view code{a.code.data(), a.code.size()};
        if (mode == Mode::baseline && !a.baseline)
            a.baseline = std::make_unique<evmone::baseline::CodeAnalysis>(
                evmone::baseline::analyze(code));
        else if (mode == Mode::advanced && !a.advanced)
            a.advanced = std::make_unique<evmone::advanced::AdvancedCodeAnalysis>(
                evmone::advanced::analyze(revision, code));
    }

    /// Takes what the case has set up as the state to go back to, and analyses all code.
    void prepare()
    {
        for (auto& a : accounts)
        {
            if (!a.in_use)
                continue;
            a.original_exists = a.exists;
            a.original_balance = a.balance;
            a.original_nonce = a.nonce;
            a.has_original_code = !a.code.empty();
            const auto h = ethash::keccak256(a.code.data(), a.code.size());
            std::memcpy(a.code_hash.bytes, h.bytes, 32);
            for (const auto each : {Mode::baseline, Mode::advanced})
            {
                mode = each;
                analyse(a);
            }
        }
        for (auto& s : slots)
            s.original = s.current;
    }

    /// Back to the state that `prepare` saw.
    void reset()
    {
        for (const auto& key : touched_accounts)
        {
            auto& a = account(key);
            a.touched = false;
            a.warm = a.warm_at_start;
            a.exists = a.original_exists;
            a.balance = a.original_balance;
            a.nonce = a.original_nonce;
            if (!a.has_original_code && !a.code.empty())
                forget_code(a);
        }
        touched_accounts.clear();
        for (const auto& name : touched_slots)
        {
            auto& s = slot(name.account, name.key, name.transient);
            s.touched = s.warm = false;
            s.current = s.original;
        }
        touched_slots.clear();
        undo.clear();
        logs.clear();
        log_data.clear();
    }

    size_t log_count() const { return logs.size(); }

    void set_balance(Account& a, const evmc::uint256be& balance)
    {
        undo.push_back({Undo::balance, a.key, {}, a.balance, a.exists});
        touch(a);
        a.exists = true;
        a.balance = balance;
    }

    void set_nonce(Account& a, uint64_t nonce)
    {
        Undo u{Undo::nonce, a.key, {}, {}, false};
        std::memcpy(u.value.bytes, &a.nonce, 8);
        undo.push_back(u);
        touch(a);
        a.nonce = nonce;
    }

    static void forget_code(Account& a)
    {
        a.code.clear();
        a.code_hash = {};
        a.baseline.reset();
        a.advanced.reset();
    }

    void revert(size_t mark, size_t log_mark, size_t data_mark)
    {
        while (undo.size() > mark)
        {
            const auto& u = undo.back();
            switch (u.kind)
            {
            case Undo::balance:
            {
                auto& a = account(u.account);
                a.balance = u.value;
                a.exists = u.transient;
                break;
            }
            case Undo::nonce: std::memcpy(&account(u.account).nonce, u.value.bytes, 8); break;
            case Undo::code: forget_code(account(u.account)); break;
            case Undo::account_warm: account(u.account).warm = false; break;
            case Undo::slot_value: slot(u.account, u.key, u.transient).current = u.value; break;
            case Undo::slot_warm: slot(u.account, u.key, false).warm = false; break;
            }
            undo.pop_back();
        }
        logs.resize(log_mark);
        log_data.resize(data_mark);
    }

    evmc_result precompile(unsigned number, const evmc_message& m)
    {
        const auto words = static_cast<int64_t>((m.input_size + 31) / 32);
        if (number == 4)
        {
            const auto left = m.gas - (15 + 3 * words);
            if (left < 0)
                return evmc::make_result(EVMC_OUT_OF_GAS, 0, 0, nullptr, 0);
            return evmc::make_result(EVMC_SUCCESS, left, 0, m.input_data, m.input_size);
        }
        if (number == 2)
        {
            const auto left = m.gas - (60 + 12 * words);
            if (left < 0)
                return evmc::make_result(EVMC_OUT_OF_GAS, 0, 0, nullptr, 0);
            uint8_t digest[32];
            evmone::crypto::sha256(
                reinterpret_cast<std::byte*>(digest),
                reinterpret_cast<const std::byte*>(m.input_data), m.input_size);
            return evmc::make_result(EVMC_SUCCESS, left, 0, digest, sizeof(digest));
        }
        unsupported = "precompile " + std::to_string(number);
        return evmc::make_result(EVMC_FAILURE, 0, 0, nullptr, 0);
    }

    /// Runs code as the mode says; `m.depth` counts from 0.
    evmc_result frame(const evmc_message& m, const Account& a)
    {
        switch (mode)
        {
        case Mode::baseline:
            return evmone::baseline::execute(
                *vm, interface, context(), revision, m, *a.baseline);
        case Mode::advanced:
        {
            const auto depth = static_cast<size_t>(m.depth);
            while (states.size() <= depth)
                states.push_back(std::make_unique<evmone::advanced::AdvancedExecutionState>());
            auto& state = *states[depth];
            state.reset(m, revision, interface, context(), {a.code.data(), a.code.size()});
            return evmone::advanced::execute(state, *a.advanced);
        }
        case Mode::evmc:
            return vm->execute(
                vm, &interface, context(), revision, &m, a.code.data(), a.code.size());
        }
        __builtin_unreachable();
    }

    void transfer(const evmc_message& m)
    {
        if (evmc::is_zero(m.value))
            return;
        const auto value = intx::be::load<intx::uint256>(m.value);
        auto& payer = account(m.sender);
        set_balance(payer, intx::be::store<evmc::uint256be>(
                               intx::be::load<intx::uint256>(payer.balance) - value));
        auto& payee = account(m.recipient);
        set_balance(payee, intx::be::store<evmc::uint256be>(
                               intx::be::load<intx::uint256>(payee.balance) + value));
    }

    /// Runs initialisation code and deploys what it returns.
    evmc_result create(const evmc_message& m)
    {
        {
            auto& a = account(m.recipient);
            if (a.nonce != 0 || !a.code.empty())
                return evmc::make_result(EVMC_FAILURE, 0, 0, nullptr, 0);
            a.exists = true;
            set_nonce(a, 1);
        }
        transfer(m);
        auto inner = m;
        inner.input_data = nullptr;
        inner.input_size = 0;
        Account initial;
        initial.code.assign(m.input_data, m.input_size);
        analyse(initial);
        auto result = frame(inner, initial);
        if (result.status_code != EVMC_SUCCESS)
            return result;
        const auto cost = 200 * static_cast<int64_t>(result.output_size);
        const auto is_refused = result.output_size > 0x6000 || result.gas_left < cost ||
                                (result.output_size > 0 && result.output_data[0] == 0xef);
        if (!is_refused)
        {
            auto& a = account(m.recipient);
            undo.push_back({Undo::code, a.key, {}, {}, false});
            a.code.assign(result.output_data, result.output_size);
            const auto h = ethash::keccak256(a.code.data(), a.code.size());
            std::memcpy(a.code_hash.bytes, h.bytes, 32);
        }
        const auto left = result.gas_left - cost;
        if (result.release)
            result.release(&result);
        return is_refused ? evmc::make_result(EVMC_OUT_OF_GAS, 0, 0, nullptr, 0) :
                            evmc::make_result(EVMC_SUCCESS, left, result.gas_refund, nullptr, 0);
    }

    evmc_result call(const evmc_message& m)
    {
        const auto mark = undo.size();
        const auto log_mark = logs.size();
        const auto data_mark = log_data.size();
        if (m.kind == EVMC_CREATE || m.kind == EVMC_CREATE2)
        {
            set_nonce(account(m.sender), account(m.sender).nonce + 1);
            const auto created = create(m);
            // The sender's nonce stays raised.
            if (created.status_code != EVMC_SUCCESS)
                revert(mark + 1, log_mark, data_mark);
            return created;
        }
        if (m.kind == EVMC_CALL)
            transfer(m);
        evmc_result result;
        const auto number = precompile_number(m.code_address);
        if (number != 0)
            result = precompile(number, m);
        else
        {
            // The table may grow in the call, but what the account's pointers lead to stays.
            auto& a = account(m.code_address);
            if (a.code.empty())
                result = evmc::make_result(EVMC_SUCCESS, m.gas, 0, nullptr, 0);
            else
            {
                // Deployed by this run, perhaps.
                analyse(a);
                result = frame(m, a);
            }
        }
        if (result.status_code != EVMC_SUCCESS)
            revert(mark, log_mark, data_mark);
        return result;
    }

    unsigned precompile_number(const address& a) const
    {
        for (size_t i = 0; i < 18; ++i)
            if (a.bytes[i] != 0)
                return 0;
        const auto number = unsigned{a.bytes[18]} << 8 | a.bytes[19];
        const auto last = revision >= EVMC_PRAGUE ? 17u : revision >= EVMC_CANCUN ? 10u : 9u;
        if (number <= last || (number == 256 && revision >= EVMC_OSAKA))
            return number;
        return 0;
    }

    evmc_access_status access(const address& key)
    {
        auto& a = account(key);
        if (a.warm || precompile_number(key) != 0)
            return EVMC_ACCESS_WARM;
        touch(a);
        a.warm = true;
        undo.push_back({Undo::account_warm, key, {}, {}, false});
        return EVMC_ACCESS_COLD;
    }

    evmc_access_status access(const address& owner, const bytes32& key)
    {
        auto& s = slot(owner, key, false);
        if (s.warm)
            return EVMC_ACCESS_WARM;
        touch(s);
        s.warm = true;
        undo.push_back({Undo::slot_warm, owner, key, {}, false});
        return EVMC_ACCESS_COLD;
    }

    evmc_storage_status store(const address& owner, const bytes32& key, const bytes32& value)
    {
        auto& s = slot(owner, key, false);
        const auto original = s.original;
        const auto current = s.current;
        if (current == value)
            return EVMC_STORAGE_ASSIGNED;
        touch(s);
        undo.push_back({Undo::slot_value, owner, key, current, false});
        s.current = value;
        const auto restored = original == value;
        if (original == current)
        {
            if (evmc::is_zero(original))
                return EVMC_STORAGE_ADDED;
            return evmc::is_zero(value) ? EVMC_STORAGE_DELETED : EVMC_STORAGE_MODIFIED;
        }
        if (evmc::is_zero(original))
            return restored ? EVMC_STORAGE_ADDED_DELETED : EVMC_STORAGE_ASSIGNED;
        if (evmc::is_zero(current))
            return restored ? EVMC_STORAGE_DELETED_RESTORED : EVMC_STORAGE_DELETED_ADDED;
        if (evmc::is_zero(value))
            return EVMC_STORAGE_MODIFIED_DELETED;
        return restored ? EVMC_STORAGE_MODIFIED_RESTORED : EVMC_STORAGE_ASSIGNED;
    }

    void store_transient(const address& owner, const bytes32& key, const bytes32& value)
    {
        auto& s = slot(owner, key, true);
        touch(s);
        undo.push_back({Undo::slot_value, owner, key, s.current, true});
        s.current = value;
    }

    void log(const address& owner, const uint8_t* data, size_t size, const evmc_bytes32 topics[],
        size_t topic_count)
    {
        logs.push_back({owner, topic_count, log_data.size(), size});
        for (size_t i = 0; i < topic_count; ++i)
            log_data.append(topics[i].bytes, 32);
        log_data.append(data, size);
    }
};

inline const evmc_host_interface Host::interface = {
    .account_exists = [](evmc_host_context* c,
                          const evmc_address* a) { return Host::from(c).account(*a).exists; },
    .get_storage = [](evmc_host_context* c, const evmc_address* a,
                       const evmc_bytes32* k) -> evmc_bytes32 {
        return Host::from(c).slot(*a, *k, false).current;
    },
    .set_storage = [](evmc_host_context* c, const evmc_address* a, const evmc_bytes32* k,
                       const evmc_bytes32* v) { return Host::from(c).store(*a, *k, *v); },
    .get_balance = [](evmc_host_context* c, const evmc_address* a) -> evmc_uint256be {
        return Host::from(c).account(*a).balance;
    },
    .get_nonce = [](evmc_host_context* c,
                     const evmc_address* a) { return Host::from(c).account(*a).nonce; },
    .get_code_size = [](evmc_host_context* c,
                         const evmc_address* a) { return Host::from(c).account(*a).code.size(); },
    .get_code_hash = [](evmc_host_context* c, const evmc_address* a) -> evmc_bytes32 {
        const auto& found = Host::from(c).account(*a);
        return found.exists ? found.code_hash : bytes32{};
    },
    .copy_code = [](evmc_host_context* c, const evmc_address* a, size_t offset, uint8_t* buffer,
                     size_t size) -> size_t {
        const auto& code = Host::from(c).account(*a).code;
        if (offset >= code.size())
            return 0;
        const auto count = std::min(size, code.size() - offset);
        std::memcpy(buffer, code.data() + offset, count);
        return count;
    },
    .selfdestruct = [](evmc_host_context* c, const evmc_address*, const evmc_address*) {
        Host::from(c).unsupported = "SELFDESTRUCT";
        return false;
    },
    .call = [](evmc_host_context* c,
                const evmc_message* m) { return Host::from(c).call(*m); },
    .get_tx_context = [](evmc_host_context* c) { return Host::from(c).transaction; },
    .get_block_hash = [](evmc_host_context* c, int64_t) -> evmc_bytes32 {
        Host::from(c).unsupported = "BLOCKHASH";
        return {};
    },
    .emit_log = [](evmc_host_context* c, const evmc_address* a, const uint8_t* data, size_t size,
                    const evmc_bytes32 topics[],
                    size_t count) { Host::from(c).log(*a, data, size, topics, count); },
    .access_account = [](evmc_host_context* c,
                          const evmc_address* a) { return Host::from(c).access(*a); },
    .access_storage = [](evmc_host_context* c, const evmc_address* a,
                          const evmc_bytes32* k) { return Host::from(c).access(*a, *k); },
    .get_transient_storage = [](evmc_host_context* c, const evmc_address* a,
                                 const evmc_bytes32* k) -> evmc_bytes32 {
        return Host::from(c).slot(*a, *k, true).current;
    },
    .set_transient_storage = [](evmc_host_context* c, const evmc_address* a,
                                 const evmc_bytes32* k, const evmc_bytes32* v) {
        Host::from(c).store_transient(*a, *k, *v);
    },
};
}  // namespace needletail
